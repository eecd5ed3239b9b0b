-- From when until when anything is known of each feature; open sessions reach as far as any evidence.
-- Summed up table by table: SQLite reads the sessions of a feature together, and need not sort them.
select feature_id, min(from_at), max(until_at) from (
    select feature_id, min(from_at) as from_at,
           max(coalesce(until_at, (select max(until_at) from span), from_at)) as until_at
    from session_by_key group by feature_id
    union all
    select feature_id, min(first_at), max(until_at) from session_run group by feature_id
    union all
    select feature_id, min(at), max(at) from request group by feature_id
    union all
    select feature_id, min(from_at), max(until_at) from heartbeat group by feature_id
) e
group by feature_id
order by feature_id
