-- Sessions of a feature that are open, or ended at an instant or later.
select s.feature_id, s.holder_id, s.handle, s.from_at, s.nth, s.until_at, s.seats, s.ended, s.version_id, s.start_seats,
       s.end_seats, s.orders, s.from_input, s.until_input
from {sessions:r.feature_id = $1 and r.until_at >= $2} s
where s.feature_id = $1 and (s.until_at is null or s.until_at >= $2) and s.seen_at is null
order by s.from_at
