-- When the first run begins that may hold sessions of a feature that begin at $2 or later.
-- `+ 0`: found by last starts, of which few are as late, and not in the order of first starts, which go back to the oldest run.
select min(first_at + 0) from session_run where feature_id = $1 and last_at >= $2
