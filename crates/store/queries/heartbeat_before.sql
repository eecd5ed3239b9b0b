-- Buckets that begin before $1 of the persons whose numbers' last bits are $3, in the order in which they coalesce, with
-- their keys.
select feature_id, person, version_id, from_at, until_at, holder_id, slot from heartbeat
where from_at < $1 and (person & $2) = $3
order by feature_id, person, version_id, from_at, until_at, holder_id
