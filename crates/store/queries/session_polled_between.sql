-- Sessions told by polls of a license server that overlap [$2, $3].
select s.feature_id, s.from_at, s.until_at
from (
    select feature_id, from_at, until_at, holder_id from session_by_key where until_at is null and seen_at is not null
    union all
    select feature_id, from_at, until_at, holder_id from session_by_key
    where until_at is not null and seen_at is not null and until_at >= $2
) s
join holder h on h.holder_id = s.holder_id
where h.server_id = $1 and s.from_at <= $3
