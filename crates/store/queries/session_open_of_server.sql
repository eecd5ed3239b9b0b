select s.holder_id, s.from_at, s.until_at, s.version_id, s.seats, s.ended, s.seen_at, s.handle, s.from_input, s.nth,
       s.until_input, s.start_seats, s.end_seats, s.orders, h.vendor, s.feature_id
from session_by_key s
join holder h on h.holder_id = s.holder_id
where s.until_at is null and s.seen_at is null and h.server_id = $1
