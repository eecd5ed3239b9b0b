insert into expiry (server_id, vendor, feature_id, version_id, expires, at, seats, input_id, seen_at)
select cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint),
       r.value ->> 4, cast(r.value ->> 5 as bigint), cast(r.value ->> 6 as bigint), cast(r.value ->> 7 as bigint),
       cast(r.value ->> 8 as bigint)
from rows($1) as r where true
on conflict (server_id, vendor, feature_id, version_id, expires) do update
set at = excluded.at, seats = excluded.seats,
    input_id = case when excluded.at = expiry.at then expiry.input_id else excluded.input_id end, seen_at = excluded.seen_at
