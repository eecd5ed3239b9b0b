delete from running where (feature_id, from_at, holder_id, handle) in (
    select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint), r.value ->> 3
    from rows($1) as r
)
