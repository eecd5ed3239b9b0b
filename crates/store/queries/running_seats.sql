-- The seats of runs that are awaited at $1.
select s.feature_id, cast(sum(s.seats) as bigint)
from running r
join session_by_key s on s.feature_id = r.feature_id and s.from_at = r.from_at and s.holder_id = r.holder_id
     and s.handle = r.handle
where r.awaited_until > $1 and s.ended = 6 and s.seen_at is not null
group by s.feature_id
