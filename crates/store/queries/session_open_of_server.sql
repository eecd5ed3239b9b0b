select s.feature_id, s.holder_id, s.handle, s.from_at, s.nth, s.until_at, s.seats, s.ended, s.version_id, s.start_seats,
       s.end_seats, s.orders, s.from_input, s.until_input, h.vendor
from {session_by_key} s
join holder h on h.holder_id = s.holder_id
where s.until_at is null and s.seen_at is null and h.server_id = $1
