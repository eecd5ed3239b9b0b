insert into calendar_slot (from_at, until_at, day, time_class, day_of_week, offset_ms, changes_at, offset_after_ms)
select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), r.value ->> 2, r.value ->> 3, r.value ->> 4,
       cast(r.value ->> 5 as bigint), cast(r.value ->> 6 as bigint), cast(r.value ->> 7 as bigint)
from rows($1) as r where true
on conflict (from_at) do nothing
