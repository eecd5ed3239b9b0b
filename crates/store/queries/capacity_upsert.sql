insert into capacity (feature_id, server_id, vendor, from_at, seen_at, seats_issued, input_id)
select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), r.value ->> 2, cast(r.value ->> 3 as bigint),
       cast(r.value ->> 4 as bigint), cast(r.value ->> 5 as bigint), cast(r.value ->> 6 as bigint)
from rows($1) as r where true
on conflict (feature_id, server_id, vendor, from_at) do update
set seen_at = excluded.seen_at, seats_issued = excluded.seats_issued
