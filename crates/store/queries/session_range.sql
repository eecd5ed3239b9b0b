-- From when until when sessions of wrapper records and heartbeats reach; views by civil day need slots for them.
select min(e.from_at), max(e.until_at) from (
    select s.from_at, coalesce(s.until_at, s.from_at) as until_at
    from session_by_key s
    where s.feature_id in (
        select a.feature_id from feature_at_server a join server v on v.server_id = a.server_id
        where v.pairing = 1 or v.format = 'heartbeat'
    )
    union all
    select r.first_at, r.until_at
    from session_run r
    where r.feature_id in (
        select a.feature_id from feature_at_server a join server v on v.server_id = a.server_id
        where v.pairing = 1 or v.format = 'heartbeat'
    )
    union all
    select from_at, until_at from heartbeat
) e
