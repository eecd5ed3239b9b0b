-- Buckets of the persons whose stretches began before $1 and are not sealed yet.
select feature_id, person, version_id, from_at, until_at, holder_id from heartbeat
where person in (select person from heartbeat where from_at < $1)
order by feature_id, person, version_id, from_at, until_at, holder_id
