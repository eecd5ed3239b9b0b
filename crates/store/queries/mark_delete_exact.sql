-- Marks by their whole key.
delete from feature_day_mark where (feature_id, day, state, mark) in (
    select cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint)
    from rows($1) as r
)
