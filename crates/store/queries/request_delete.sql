delete from request where (feature_id, at, holder_id, nth) in (
    select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint),
           cast(r.value ->> 3 as bigint)
    from rows($1) as r
)
