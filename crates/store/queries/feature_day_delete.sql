delete from feature_day where (feature_id, day) in (
    select d.feature_id, d.day from rows($1) as r join feature_day d
        on d.feature_id = cast(r.value ->> 0 as bigint) and d.day between r.value ->> 1 and r.value ->> 2
)
