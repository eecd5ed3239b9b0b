-- Runs that may hold such sessions as session_of_feature.sql asks for, in the order of their starts, those behind one by its key.
select first_at, last_at, run_id, input_id, sessions, starts, lengths, holder_ids, version_ids, seats, ended, handles, until_at
from session_run
where feature_id = $1 and last_at >= $2 and first_at < $3 and until_at >= $4 and (first_at, last_at, run_id) > ($5, $6, $7)
order by first_at, last_at, run_id
limit $8
