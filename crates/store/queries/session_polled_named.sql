select s.feature_id, s.from_at, s.holder_id, s.handle, s.nth, s.until_at, s.seats, s.ended, s.version_id, s.seen_at,
       s.from_input, s.until_input
from rows($1) as r
join session_by_key s on s.feature_id = cast(r.value ->> 0 as bigint) and s.from_at = cast(r.value ->> 1 as bigint)
     and s.holder_id = cast(r.value ->> 2 as bigint) and s.handle = r.value ->> 3
     and s.nth = cast(r.value ->> 4 as bigint)
where s.seen_at is not null
