delete from session_run where (feature_id, last_at, first_at, run_id) in (
    select cast(k.value ->> 0 as bigint), cast(k.value ->> 1 as bigint), cast(k.value ->> 2 as bigint),
           cast(k.value ->> 3 as bigint)
    from rows($1) as k
)
