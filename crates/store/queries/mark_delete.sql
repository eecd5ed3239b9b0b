-- The days' marks of both kinds: they are computed now, and marked unsettled again if they are.
delete from feature_day_mark where (feature_id, day) in (
    select cast(r.value ->> 0 as bigint), r.value ->> 1 from rows($1) as r
)
