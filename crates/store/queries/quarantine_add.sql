insert into quarantine (input_id, shape, reason, lines, first_line, sample)
select cast(r.value ->> 0 as bigint), r.value ->> 1, r.value ->> 2, cast(r.value ->> 3 as bigint),
       cast(r.value ->> 4 as bigint), r.value ->> 5
from rows($1) as r where true
on conflict (input_id, shape, reason) do update set lines = quarantine.lines + excluded.lines
