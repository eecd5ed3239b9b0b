insert into holder (server_id, vendor, user_name, host, display, checkout_data)
select cast(r.value ->> 0 as bigint), r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5
from rows($1) as r where true
order by 1, 2, 3, 4, 5, 6
on conflict (server_id, vendor, user_name, host, display, checkout_data) do nothing
