-- The day's marks of both kinds: it is computed now, and marked unsettled again if it is.
delete from feature_day_mark where feature_id = $1 and day in (select r.value ->> 0 from rows($2) as r)
