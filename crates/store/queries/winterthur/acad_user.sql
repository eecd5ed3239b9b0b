select substr(t.user_name, {position:t.user_name} + 1),
       case when {position:t.user_name} > 1 then substr(t.user_name, 1, {position:t.user_name} - 1) else '' end,
       {civil:t.at}
from (
    select h.user_name, max(e.at) as at
    from (
        -- The beginning of the last bucket.
        select s.holder_id,
               max(case when s.until_at - {interval} > s.from_at then s.until_at - {interval} else s.from_at end) as at
        from session_by_key s
        where s.feature_id in (
            select a.feature_id from feature_at_server a
            join server v on v.server_id = a.server_id and v.format = 'heartbeat'
        )
        group by s.holder_id
        union all
        select b.holder_id, max(b.from_at) from heartbeat b group by b.holder_id
    ) e
    join holder h on h.holder_id = e.holder_id
    join server v on v.server_id = h.server_id and v.format = 'heartbeat'
    where h.user_name <> ''
    group by h.user_name
) t
left join calendar_slot c on c.from_at > t.at - 93600000 and c.from_at <= t.at and c.until_at > t.at
