-- The dirty days of some features.
select distinct m.feature_id, m.day
from rows($1) as r join feature_day_mark m on m.feature_id = cast(r.value ->> 0 as bigint)
where m.state = 0
order by m.feature_id, m.day
