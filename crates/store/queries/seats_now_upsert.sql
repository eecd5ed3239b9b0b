insert into seats_now (server_id, vendor, feature_id, at, seats_issued, seats_in_use, seats_reserved, seats_queued,
                       seats_borrowed, input_id)
select cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint),
       cast(r.value ->> 4 as bigint), cast(r.value ->> 5 as bigint), cast(r.value ->> 6 as bigint),
       cast(r.value ->> 7 as bigint), cast(r.value ->> 8 as bigint), cast(r.value ->> 9 as bigint)
from rows($1) as r where true
on conflict (server_id, vendor, feature_id) do update
set at = excluded.at, seats_issued = excluded.seats_issued, seats_in_use = excluded.seats_in_use,
    seats_reserved = excluded.seats_reserved, seats_queued = excluded.seats_queued,
    seats_borrowed = excluded.seats_borrowed, input_id = excluded.input_id
where excluded.at >= seats_now.at
