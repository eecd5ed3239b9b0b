select count(*), cast(coalesce(sum(p.bytes), 0) as bigint)
from rows($1) as r join forward_part p on p.part_id = cast(r.value ->> 0 as bigint)
