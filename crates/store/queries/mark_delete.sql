-- The days' marks of both kinds: they are computed now, and marked unsettled again if they are.
delete from feature_day_mark where (feature_id, day) in (
    select m.feature_id, m.day from rows($1) as r join feature_day_mark m
        on m.feature_id = cast(r.value ->> 0 as bigint) and m.day between r.value ->> 1 and r.value ->> 2
)
