select t.day, cast(t.code as bigint), t.version, cast(sum(t.minutes) as bigint), t.number
from (
    select c.day,
           -- App codes are integers; a feature of another name was not known to the service whose table this was.
           case when length(f.code) between 1 and 18 and f.code <> '-'
                     and trim(substr(f.code, 1, 1), '-0123456789') = '' and trim(substr(f.code, 2), '0123456789') = ''
                then f.code end as code,
           n.version,
           sum(case when u.until_at < c.until_at then u.until_at else c.until_at end
               - case when u.from_at > c.from_at then u.from_at else c.from_at end) / 60000 as minutes,
           coalesce(m.number, -1) as number
    from (
        select s.feature_id, s.version_id, s.holder_id, s.from_at, s.until_at
        from session_by_key s
        where s.feature_id in (
            select a.feature_id from feature_at_server a
            join server v on v.server_id = a.server_id and v.format = 'heartbeat'
        )
        union all
        -- Of a bucket that was told in two ways, or reaches into the one before, what is more.
        select b.feature_id, b.version_id, b.holder_id,
               case when b.reached > b.from_at then b.reached else b.from_at end, b.until_at
        from (
            select h.feature_id, h.version_id, h.holder_id, h.from_at, h.until_at,
                   max(h.until_at) over (
                       partition by h.feature_id, h.person, h.version_id order by h.from_at, h.slot
                       rows between unbounded preceding and 1 preceding
                   ) as reached
            from heartbeat h
        ) b
        where b.reached is null or b.until_at > b.reached
    ) u
    join (
        select h.holder_id,
               case when h.user_name = '' then '=' || h.display
                    when exists (select 1 from membership m where m.lookup = h.user_name) then h.user_name
                    else '*\' || substr(h.user_name, {position:h.user_name} + 1) end as lookup
        from holder h
        join server v on v.server_id = h.server_id and v.format = 'heartbeat'
    ) k on k.holder_id = u.holder_id
    join feature f on f.feature_id = u.feature_id
    join version n on n.version_id = u.version_id
    join calendar_slot c on c.from_at > u.from_at - 93600000 and c.from_at < u.until_at and c.until_at > u.from_at
    left join membership m on m.lookup = k.lookup and m.from_day <= c.day and c.day < m.until_day
    group by c.day, f.code, n.version, m.number
    union all
    -- What the service before this one had counted.
    select i.day,
           case when length(f.code) between 1 and 18 and f.code <> '-'
                     and trim(substr(f.code, 1, 1), '-0123456789') = '' and trim(substr(f.code, 2), '0123456789') = ''
                then f.code end,
           coalesce(n.version, ''), i.minutes,
           coalesce((select m.number from membership m where m.lookup = '#' || cast(i.organization as text)),
                    i.organization)
    from imported_total i
    join feature f on f.feature_id = i.feature_id
    left join version n on n.version_id = i.version_id
) t
where t.code is not null
group by t.day, cast(t.code as bigint), t.version, t.number
