-- Polls of license servers, capacity, expiry, and totals of systems that kept no persons.

-- A snapshot showed this session at this instant; for an ended one the last that did. None for sessions that a log
-- tells. Where a log covers the same license server, such a session does not count.
alter table session add column seen_at bigint;
create index session_polled on session (until_at) where seen_at is not null and until_at is not null;

-- Whether the span is of polls, not of a log.
alter table span add column polled bigint not null default 0;

-- Polls of a vendor daemon; an empty vendor is the license server as a whole.
create table poll (
    server_id bigint not null, vendor text not null, at bigint not null, answered bigint not null,
    input_id bigint not null,
    primary key (server_id, vendor, at)
) {clustered};

-- Seats issued, as runs of equal observations: from the first one on, last observed at seen_at. Null: not counted.
drop table capacity;
create table capacity (
    feature_id bigint not null, server_id bigint not null, vendor text not null, from_at bigint not null,
    seen_at bigint not null, seats_issued bigint, input_id bigint not null,
    primary key (feature_id, server_id, vendor, from_at)
) {clustered};

-- What a license server said last of a feature's seats.
create table seats_now (
    server_id bigint not null, vendor text not null, feature_id bigint not null, at bigint not null,
    seats_issued bigint, seats_in_use bigint, seats_reserved bigint not null, seats_queued bigint not null,
    seats_borrowed bigint not null, input_id bigint not null,
    primary key (server_id, vendor, feature_id)
) {clustered};

-- What a license server said last of expiry. expires is a day, `permanent`, or empty where it printed no date.
create table expiry (
    server_id bigint not null, vendor text not null, feature_id bigint not null, version_id bigint not null,
    expires text not null, at bigint not null, seats bigint, input_id bigint not null,
    primary key (server_id, vendor, feature_id, version_id, expires)
) {clustered};

create table imported_total (
    feature_id bigint not null, day text not null, organization bigint not null, version_id bigint not null,
    minutes bigint not null, input_id bigint not null,
    primary key (feature_id, day, organization, version_id)
) {clustered};

-- Finished uses of a table are no records, and yield to records.
drop view syslog_line;
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

drop view uso_diario;
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
          and (s.seen_at is null or not exists (
              select 1 from span p
              where p.server_id = h.server_id and p.polled = 0 and p.from_at <= s.from_at and s.from_at < p.until_at))
) t;
