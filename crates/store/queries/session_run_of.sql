-- The keys of the runs of a feature that hold sessions, by their starts and holders, which lie from $3 to $4. `offset 0`: they
-- become a table of hashes; joined, each would be looked up in each run.
select distinct r.feature_id, r.last_at, r.first_at, r.run_id
from session_run r
cross join lateral unnest(r.from_ats, r.holder_ids) as p (from_at, holder_id)
where r.feature_id = $2 and r.last_at >= $3 and r.first_at <= $4
      and (p.from_at, cast(p.holder_id as bigint)) in (
          select cast(k.value ->> 0 as bigint), cast(k.value ->> 1 as bigint) from rows($1) as k offset 0
      )
