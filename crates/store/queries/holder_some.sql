select h.holder_id, h.server_id, h.vendor, h.user_name, h.host, h.display
from rows($1) as r join holder h on h.holder_id = cast(r.value ->> 0 as bigint)
order by h.holder_id
