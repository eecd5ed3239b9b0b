-- Sessions of a feature that begin at $4 or later and may overlap [$2, $3), in order of their start.
select holder_id, from_at, until_at, version_id, seats, ended, seen_at
from {sessions:r.feature_id = $1 and r.last_at >= $4 and r.first_at < $3 and r.until_at >= $2} s
where feature_id = $1 and from_at >= $4 and from_at < $3 and (until_at is null or until_at >= $2)
order by from_at, holder_id, handle, nth
