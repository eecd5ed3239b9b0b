delete from feature_day_page where (feature_id, day) in (
    select cast(r.value ->> 0 as bigint), r.value ->> 1 from rows($1) as r
)
