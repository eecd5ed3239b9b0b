insert into daemon_break (server_id, vendor, at, kind, input_id)
select cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint),
       cast(r.value ->> 4 as bigint)
from rows($1) as r where true
on conflict (server_id, vendor, at, kind) do nothing
