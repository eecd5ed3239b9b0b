-- What the polls of a daemon come to.
insert into polled (server_id, vendor, answers, first_at, last_at)
select server_id, vendor, cast(sum(answered * polls) as bigint), min(case when answered = 1 then from_at end),
       max(case when answered = 1 then until_at end)
from poll where server_id = $1 and vendor = $2
group by server_id, vendor
