insert into running (feature_id, from_at, holder_id, handle, awaited_until)
select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint), r.value ->> 3,
       cast(r.value ->> 4 as bigint)
from rows($1) as r where true
on conflict (feature_id, from_at, holder_id, handle) do update
set awaited_until = excluded.awaited_until where running.awaited_until < excluded.awaited_until
