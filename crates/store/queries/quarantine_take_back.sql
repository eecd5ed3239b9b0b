update quarantine set lines = quarantine.lines - cast(r.value ->> 3 as bigint)
from rows($1) as r
where quarantine.input_id = cast(r.value ->> 0 as bigint) and quarantine.shape = r.value ->> 1
  and quarantine.reason = r.value ->> 2
