-- When the first run begins that may hold sessions of a feature that begin at $2 or later.
select min(first_at) from session_run where feature_id = $1 and last_at >= $2
