-- Runs that hold one of these sessions become rows again.
with gone as (
    delete from session_run r
    where exists (
        select 1 from rows($1) as k
        where cast(k.value ->> 0 as bigint) = r.feature_id
              and cast(k.value ->> 1 as bigint) between r.first_at and r.last_at
    )
    returning *
)
insert into session_by_key {unrolled:gone}
