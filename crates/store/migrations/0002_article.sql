-- The two tables of the article "Application Usage Accounting" as views: its queries run verbatim.

create view syslog_line as
select substr(t.stamp, 1, 4) as aaaa, substr(t.stamp, 6, 2) as mm, substr(t.stamp, 9, 2) as dd,
       substr(t.stamp, 12, 2) as hh, substr(t.stamp, 15, 2) as mmin,
       t.app, t."user", t.pid, t.hostname, t.status, t.procesado
from (
    select {civil:e.at} as stamp, f.code as app, h.user_name as "user", e.handle as pid,
           h.host as hostname, e.status, e.procesado
    from (
        select feature_id, holder_id, handle, from_at as at, 'START' as status,
               case when until_at is not null and ended <> 7 then 'S' else 'N' end as procesado
        from session
        union all
        select feature_id, holder_id, handle, until_at, 'STOP', 'S' from session where until_input is not null
        union all
        select feature_id, holder_id, handle, at, 'STOP', 'N' from unmatched_end
    ) e
    join feature f on f.feature_id = e.feature_id
    join holder h on h.holder_id = e.holder_id
    join server v on v.server_id = h.server_id and v.pairing = 1
    join calendar_slot c on c.from_at > e.at - 93600000 and c.from_at <= e.at and c.until_at > e.at
) t;

create view uso_diario as
select t."user", t.hostname, t.app,
       substr(t.day, 1, 4) as aaaa, substr(t.day, 6, 2) as mm, substr(t.day, 9, 2) as dd,
       substr(t.stamp, 12, 2) as hh_start, substr(t.stamp, 15, 2) as mm_start,
       t.pid, t.uso_en_min, t.day_of_week
from (
    select h.user_name as "user", h.host as hostname, f.code as app, c.day,
           {civil:case when s.from_at > c.from_at then s.from_at else c.from_at end} as stamp,
           s.handle as pid,
           (case when s.until_at < c.until_at then s.until_at else c.until_at end
            - case when s.from_at > c.from_at then s.from_at else c.from_at end) / 60000.0 as uso_en_min,
           c.day_of_week
    from session s
    join holder h on h.holder_id = s.holder_id
    join server v on v.server_id = h.server_id and v.pairing = 1
    join feature f on f.feature_id = s.feature_id
    join calendar_slot c on c.from_at > s.from_at - 93600000
         and ((c.from_at < s.until_at and c.until_at > s.from_at)
              or (s.from_at = s.until_at and c.from_at <= s.from_at and c.until_at > s.from_at))
    where s.until_at is not null and s.ended <> 7
) t;
