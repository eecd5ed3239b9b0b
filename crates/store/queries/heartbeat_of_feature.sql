-- Buckets that are not sealed, in the order in which they coalesce.
select feature_id, person, version_id, from_at, until_at, holder_id from heartbeat
where feature_id = $1 and from_at < $2
order by person, version_id, from_at, until_at, holder_id
