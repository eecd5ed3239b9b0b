-- Buckets that begin before $1, in the order in which they coalesce, with their keys.
select feature_id, person, version_id, from_at, until_at, holder_id, slot from heartbeat
where from_at < $1
order by feature_id, person, version_id, from_at, until_at, holder_id
