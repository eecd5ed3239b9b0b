select holder_id, from_at, until_at, version_id, seats, ended, seen_at, handle, from_input
from {sessions:r.feature_id = $1 and r.last_at >= $5 and r.first_at < $3 and r.until_at >= $2} s
where feature_id = $1 and from_at >= $5 and from_at < $3 and (until_at is null or until_at >= $2) and cast($4 as bigint) is not null
order by from_at, holder_id, handle, nth
