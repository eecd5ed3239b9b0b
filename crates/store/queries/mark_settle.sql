-- Unsettled days that the moved evidence may have passed: to be computed anew.
insert into feature_day_mark (feature_id, day, state, mark)
select feature_id, day, 0, $1 from feature_day_mark where state = 1 and day >= $2 and day <= $3
on conflict (feature_id, day, state, mark) do nothing
