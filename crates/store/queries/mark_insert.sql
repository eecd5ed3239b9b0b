insert into feature_day_mark (feature_id, day, state, mark)
select cast(r.value ->> 0 as bigint), r.value ->> 1, $2, $3 from rows($1) as r where true
on conflict (feature_id, day, state, mark) do nothing
