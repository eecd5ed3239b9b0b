-- Buckets that begin at $1 or later, of sessions that are open at $2: as long as the bucket itself has not passed since its
-- end. In the order in which they coalesce.
select feature_id, person, version_id, from_at, until_at, holder_id from heartbeat
where from_at >= $1 and until_at + (until_at - from_at) > $2
order by feature_id, person, version_id, from_at, until_at, holder_id
