-- Sessions of a feature that begin at $2 or later and before $3, and are open or end at $4 or later.
select {columns}
from {sessions:r.feature_id = $1 and r.last_at >= $2 and r.first_at < $3 and r.until_at >= $4} s
where feature_id = $1 and from_at >= $2 and from_at < $3 and (until_at is null or until_at >= $4)
order by from_at, holder_id, handle, nth
