insert into session_by_key (feature_id, from_at, holder_id, handle, nth, until_at, seats, ended, version_id, from_input,
                     until_input, seen_at)
select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint), r.value ->> 3,
       cast(r.value ->> 4 as bigint), cast(r.value ->> 5 as bigint), cast(r.value ->> 6 as bigint),
       cast(r.value ->> 7 as bigint), cast(r.value ->> 8 as bigint), cast(r.value ->> 9 as bigint),
       cast(r.value ->> 10 as bigint), cast(r.value ->> 11 as bigint)
from rows($1) as r where true
on conflict (feature_id, from_at, holder_id, handle, nth) do update
set until_at = excluded.until_at, seats = excluded.seats, ended = excluded.ended, version_id = excluded.version_id,
    until_input = excluded.until_input, seen_at = excluded.seen_at
