-- Sessions told by polls of a daemon that are open, or ended later than an instant.
select s.feature_id, s.from_at, s.holder_id, s.handle, s.nth, s.until_at, s.seats, s.ended, s.version_id, s.seen_at,
       s.from_input, s.until_input
from (
    select * from session_by_key where until_at is null and seen_at is not null
    union all
    select * from session_by_key where until_at is not null and seen_at is not null and until_at > $3
) s
join holder h on h.holder_id = s.holder_id
where h.server_id = $1 and h.vendor = $2
