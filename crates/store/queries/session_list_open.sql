select holder_id, from_at, until_at, version_id, seats, ended, seen_at, handle, from_input from (
    select holder_id, from_at, until_at, version_id, seats, ended, seen_at, handle, from_input, nth
    from session_by_key
    where feature_id = $1 and from_at < $3 and until_at is null and $2 <= $3
    union all
    select s.holder_id, s.from_at, s.until_at, s.version_id, s.seats, s.ended, s.seen_at, s.handle, s.from_input, s.nth
    from running r
    join session_by_key s on s.feature_id = r.feature_id and s.from_at = r.from_at and s.holder_id = r.holder_id
         and s.handle = r.handle
    where r.feature_id = $1 and r.from_at < $3 and r.awaited_until > $4 and s.ended = 6 and s.seen_at is not null
) s
order by from_at, holder_id, handle, nth
