delete from feature_day where feature_id = $1 and day in (select r.value ->> 0 from rows($2) as r)
