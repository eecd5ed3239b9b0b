-- Buckets that begin at $1 or later, in the order in which they coalesce.
select feature_id, person, version_id, from_at, until_at, holder_id from heartbeat
where from_at >= $1
order by feature_id, person, version_id, from_at, until_at, holder_id
