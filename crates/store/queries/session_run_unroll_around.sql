-- Runs of which some sessions may have ended at an instant, and others have not, become rows again.
with gone as (
    delete from session_run where first_at < $1 and until_at > $1 returning *
)
insert into session_by_key {unrolled:gone}
