insert into span (server_id, vendor, input_id, run, from_at, until_at, begins_run, polled)
select cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint),
       cast(r.value ->> 4 as bigint), cast(r.value ->> 5 as bigint), cast(r.value ->> 6 as bigint),
       cast(r.value ->> 7 as bigint)
from rows($1) as r where true
on conflict (server_id, vendor, input_id, run, from_at) do update set until_at = excluded.until_at
