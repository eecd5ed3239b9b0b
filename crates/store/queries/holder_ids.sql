select h.holder_id, h.server_id, h.vendor, h.user_name, h.host, h.display, h.checkout_data
from rows($1) as r
join holder h on h.server_id = cast(r.value ->> 0 as bigint) and h.vendor = r.value ->> 1
             and h.user_name = r.value ->> 2 and h.host = r.value ->> 3
             and h.display = r.value ->> 4 and h.checkout_data = r.value ->> 5
