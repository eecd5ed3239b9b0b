delete from heartbeat where (from_at, person, slot) in (
    select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint)
    from rows($1) as r
)
