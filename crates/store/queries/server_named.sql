select s.server_id, s.name, s.format, s.pairing, s.time_zone
from rows($1) as r join server s on s.server_id = cast(r.value ->> 0 as bigint)
