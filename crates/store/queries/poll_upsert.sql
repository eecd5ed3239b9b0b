insert into poll (server_id, vendor, at, answered, input_id)
select cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint),
       cast(r.value ->> 4 as bigint)
from rows($1) as r where true
on conflict (server_id, vendor, at) do update
set answered = case when excluded.answered < poll.answered then excluded.answered else poll.answered end
