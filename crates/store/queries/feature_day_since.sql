select d.feature_id, d.day
from rows($1) as r
join feature_day d on d.feature_id = cast(r.value ->> 0 as bigint) and d.day >= $2
