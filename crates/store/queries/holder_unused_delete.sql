-- Holders of whom nothing is left.
delete from holder where holder_id not in (
    select holder_id from {sessions:true} s {apart:union select holder_id from session_in_run}
    union select holder_id from request union select holder_id from unmatched_end
    union select holder_id from heartbeat
)
