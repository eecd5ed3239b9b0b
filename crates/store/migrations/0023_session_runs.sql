-- PostgreSQL alone: SQLite's rows are clustered by their key, and cost little.

-- Sessions that ended, of one feature and input, in the order of their starts, as one row: a row of its own in a table and in the
-- index of its key costs the server four times what it costs in an array. Whatever may still change, or is not plain, is a
-- row by its key; and so is a run's session before it changes.
do $$
declare
    theirs text;
begin
    select string_agg(distinct cast(cast(v.oid as regclass) as text), ', ') into theirs
    from pg_depend d
    join pg_rewrite w on w.oid = d.objid
    join pg_class v on v.oid = w.ev_class
    where d.refobjid = cast('session' as regclass)
          and v.oid not in (cast('syslog_line' as regclass), cast('uso_diario' as regclass));
    if exists (select 1 from pg_policy where polrelid = cast('session' as regclass)) then
        raise exception 'the table session has policies of row level security, which a view would not keep: take them away before';
    end if;
    if theirs is not null then
        raise exception 'views of your own read the table session, which becomes a view: %. Drop them before, and make them again behind it', theirs;
    end if;
end $$;
alter table session rename to session_by_key;
create table session_run (
    feature_id bigint not null, input_id bigint not null, run_id bigint not null,
    first_at bigint not null, last_at bigint not null, until_at bigint not null,
    from_ats bigint[] not null, until_ats bigint[] not null, holder_ids integer[] not null,
    version_ids integer[] not null, seats integer[] not null, ended integer[] not null, handles text[],
    -- Most questions are about the latest days.
    primary key (feature_id, last_at, first_at, run_id)
);
-- A page holds several runs of 64 sessions: only what does not fit into one is compressed or laid aside.
alter table session_run set (toast_tuple_target = 8160);

create view session as
select feature_id, from_at, holder_id, handle, nth, until_at, seats, ended, version_id, from_input, until_input,
       start_seats, end_seats, orders, seen_at
from session_by_key
union all
select r.feature_id, p.from_at, cast(p.holder_id as bigint), coalesce(p.handle, ''), cast(0 as bigint), p.until_at,
       cast(p.seats as bigint), cast(p.ended as bigint), cast(p.version_id as bigint), r.input_id, r.input_id,
       cast(null as bigint), cast(null as bigint), cast(null as bigint), cast(null as bigint)
from session_run r
cross join lateral unnest(r.from_ats, r.until_ats, r.holder_ids, r.version_ids, r.seats, r.ended, r.handles)
     as p (from_at, until_at, holder_id, version_id, seats, ended, handle);
-- Whoever might do something with the table may do it with what has taken its place.
do $$
declare
    may record;
begin
    for may in
        select distinct case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as who,
               a.privilege_type as what
        from pg_class c, aclexplode(c.relacl) a
        where c.oid = cast('session_by_key' as regclass) and a.grantee <> c.relowner
    loop
        execute format('grant %s on session_run to %s', may.what, may.who);
        if may.what = 'SELECT' then
            execute format('grant select on session to %s', may.who);
        end if;
    end loop;
end $$;

-- They were of the table.
create or replace view syslog_line as
select substr(t.stamp, 1, 4) as aaaa, substr(t.stamp, 6, 2) as mm, substr(t.stamp, 9, 2) as dd,
       substr(t.stamp, 12, 2) as hh, substr(t.stamp, 15, 2) as mmin,
       t.app, t."user", t.pid, t.hostname, t.status, t.procesado
from (
    select {civil:e.at} as stamp, f.code as app, h.user_name as "user", e.handle as pid,
           h.host as hostname, e.status, e.procesado
    from (
        select feature_id, holder_id, handle, from_at as at, 'START' as status,
               case when until_at is not null and ended <> 7 then 'S' else 'N' end as procesado
        from session where seen_at is null
        union all
        select feature_id, holder_id, handle, until_at, 'STOP', 'S' from session
        where until_input is not null and seen_at is null
        union all
        select feature_id, holder_id, handle, at, 'STOP', 'N' from unmatched_end
    ) e
    join feature f on f.feature_id = e.feature_id
    join holder h on h.holder_id = e.holder_id
    join server v on v.server_id = h.server_id and v.pairing = 1
    join calendar_slot c on c.from_at > e.at - 93600000 and c.from_at <= e.at and c.until_at > e.at
) t;

create or replace view uso_diario as
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
          and (s.seen_at is null or not exists (
              select 1 from span p
              where p.server_id = h.server_id and p.polled = 0 and p.from_at <= s.from_at and s.from_at < p.until_at))
) t;
