insert into imported_total (feature_id, day, organization, version_id, minutes, input_id)
select cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint),
       cast(r.value ->> 4 as bigint), cast(r.value ->> 5 as bigint)
from rows($1) as r where true
on conflict (feature_id, day, organization, version_id) do update
set minutes = case when excluded.minutes > imported_total.minutes then excluded.minutes else imported_total.minutes end
