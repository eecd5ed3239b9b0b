select holder_id, from_at, until_at, version_id, seats, ended, seen_at, handle, from_input from session
where feature_id = $1 and from_at >= $5 and from_at < $3 and (until_at is null or until_at >= $2) and cast($4 as bigint) is not null
order by from_at, holder_id, handle, nth
