-- Polls in stretches of one input that came to the same: a day of polls at even intervals is a row. steps are the
-- milliseconds from each to the next, as `30000*57 30012`; nothing is lost.
alter table poll rename to poll_before;
create table poll (
    server_id bigint not null, vendor text not null, from_at bigint not null, input_id bigint not null,
    until_at bigint not null, answered bigint not null, polls bigint not null, steps text not null,
    primary key (server_id, vendor, from_at, input_id)
) {clustered};
insert into poll (server_id, vendor, from_at, input_id, until_at, answered, polls, steps)
select server_id, vendor, at, input_id, at, answered, 1, '' from poll_before;
drop table poll_before;

-- What the polls of a daemon come to: how many were answered, the first and the last of them. Who reads needs no more.
create table polled (
    server_id bigint not null, vendor text not null, answers bigint not null, first_at bigint, last_at bigint,
    primary key (server_id, vendor)
) {clustered};
insert into polled (server_id, vendor, answers, first_at, last_at)
select server_id, vendor, cast(sum(answered) as bigint), min(case when answered = 1 then from_at end),
       max(case when answered = 1 then until_at end)
from poll group by server_id, vendor;
