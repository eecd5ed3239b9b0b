insert into membership (lookup, login, from_day, until_day, number)
select r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, cast(r.value ->> 4 as bigint)
from rows($1) as r where true
