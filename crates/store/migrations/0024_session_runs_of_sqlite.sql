-- SQLite alone: PostgreSQL keeps runs since the migration before.

-- Sessions that ended, of one feature and input, in the order of their starts, as one row: see there. SQLite has no arrays: what is
-- a number of each session is as many digits for each as the greatest of them needs, one session behind the other.
-- starts count from first_at, lengths from the session's own start, both in milliseconds; handles are an array of JSON.
--
-- Views of others go on reading `session`, which is a view then: the old kind of renaming leaves them alone.
pragma legacy_alter_table = on;
alter table session rename to session_by_key;
pragma legacy_alter_table = off;
create table session_run (
    feature_id integer not null, input_id integer not null, run_id integer not null,
    first_at integer not null, last_at integer not null, until_at integer not null,
    starts blob not null, lengths blob not null, holder_ids blob not null, version_ids blob not null,
    seats blob not null, ended blob not null, handles text, sessions integer not null
);
-- Sessions are read in the order of their starts.
create unique index session_run_key on session_run (feature_id, first_at, last_at, run_id, until_at);
-- Most questions are about the latest days: when the first of their runs begins.
create index session_run_last on session_run (feature_id, last_at, first_at);
-- The places of sessions in a run.
create table session_place (place integer primary key);
insert into session_place (place)
with recursive p (place) as (select 0 union all select place + 1 from p where place < 63) select place from p;

create view session_in_run as
select r.feature_id, r.input_id, r.run_id, r.first_at, r.last_at, r.until_at as run_until_at, p.place,
       r.first_at + cast(substr(r.starts, 1 + p.place * (length(r.starts) / r.sessions),
                                length(r.starts) / r.sessions) as integer) as from_at,
       r.first_at + cast(substr(r.starts, 1 + p.place * (length(r.starts) / r.sessions),
                                length(r.starts) / r.sessions) as integer)
                  + cast(substr(r.lengths, 1 + p.place * (length(r.lengths) / r.sessions),
                                length(r.lengths) / r.sessions) as integer) as until_at,
       cast(substr(r.holder_ids, 1 + p.place * (length(r.holder_ids) / r.sessions),
                   length(r.holder_ids) / r.sessions) as integer) as holder_id,
       cast(substr(r.version_ids, 1 + p.place * (length(r.version_ids) / r.sessions),
                   length(r.version_ids) / r.sessions) as integer) as version_id,
       cast(substr(r.seats, 1 + p.place * (length(r.seats) / r.sessions),
                   length(r.seats) / r.sessions) as integer) as seats,
       cast(substr(r.ended, 1 + p.place * (length(r.ended) / r.sessions),
                   length(r.ended) / r.sessions) as integer) as ended,
       coalesce(r.handles ->> p.place, '') as handle
from session_run r
cross join session_place p
where p.place < r.sessions;

create view session as
select feature_id, from_at, holder_id, handle, nth, until_at, seats, ended, version_id, from_input, until_input,
       start_seats, end_seats, orders, seen_at
from session_by_key
union all
select feature_id, from_at, holder_id, handle, 0, until_at, seats, ended, version_id, input_id, input_id,
       null, null, null, null
from session_in_run;
