-- A subquery for each row, not a join: PostgreSQL keeps the plan of a prepared statement, and one made while the table
-- was small would read all of it each time.
select cast(r.value ->> 6 as bigint),
       (select h.holder_id from holder h
        where h.server_id = cast(r.value ->> 0 as bigint) and h.vendor = r.value ->> 1
          and h.user_name = r.value ->> 2 and h.host = r.value ->> 3
          and h.display = r.value ->> 4 and h.checkout_data = r.value ->> 5)
from rows($1) as r
