insert into poll (server_id, vendor, from_at, input_id, until_at, answered, polls, steps)
select cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint),
       cast(r.value ->> 4 as bigint), cast(r.value ->> 5 as bigint), cast(r.value ->> 6 as bigint), r.value ->> 7
from rows($1) as r where true
on conflict (server_id, vendor, from_at, input_id) do update
set until_at = excluded.until_at, answered = excluded.answered, polls = excluded.polls, steps = excluded.steps
