-- The keys of the runs that hold sessions. `offset 0`: each key is looked up by itself; joined, all runs would be read.
select distinct r.feature_id, r.last_at, r.first_at, r.run_id
from (
    select cast(k.value ->> 0 as bigint) as feature_id, cast(k.value ->> 1 as bigint) as from_at,
           cast(k.value ->> 2 as bigint) as holder_id
    from rows($1) as k
) k
cross join lateral (
    select w.feature_id, w.last_at, w.first_at, w.run_id
    from session_run w
    where w.feature_id = k.feature_id and w.last_at >= k.from_at and w.first_at <= k.from_at
          and k.from_at = any (w.from_ats) and k.holder_id = any (w.holder_ids)
    offset 0
) r
