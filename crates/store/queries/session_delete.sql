delete from session_by_key where (feature_id, from_at, holder_id, handle, nth) in (
    select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint),
           r.value ->> 3, cast(r.value ->> 4 as bigint)
    from rows($1) as r
)
