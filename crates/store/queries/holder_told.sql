select h.holder_id, s.name, h.vendor, h.user_name, h.host, h.display, h.checkout_data
from rows($1) as r
join holder h on h.holder_id = cast(r.value ->> 0 as bigint)
join server s on s.server_id = h.server_id
