-- From when until when anything is known of each feature; open sessions reach as far as any evidence.
select feature_id, min(from_at), max(until_at) from (
    select feature_id, from_at, coalesce(until_at, (select max(until_at) from span), from_at) as until_at from session
    union all
    select feature_id, at, at from request
    union all
    select feature_id, from_at, until_at from heartbeat
) e
group by feature_id
order by feature_id
