-- The runs of a feature in which sessions may lie that begin from $2 to $3.
select first_at, last_at, run_id, input_id, sessions, starts, lengths, holder_ids, version_ids, seats, ended, handles, until_at
from session_run
where feature_id = $1 and last_at >= $2 and first_at <= $3
      and first_at >= (select min(first_at + 0) from session_run where feature_id = $1 and last_at >= $2)
