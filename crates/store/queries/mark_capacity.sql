-- Stored days of a feature whose capacity has changed: to be computed anew.
insert into feature_day_mark (feature_id, day, state, mark)
select feature_id, day, 0, $4 from feature_day where feature_id = $1 and day >= $2 and day <= $3
on conflict (feature_id, day, state, mark) do nothing
