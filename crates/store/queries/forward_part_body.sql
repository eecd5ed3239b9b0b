select p.part_id, p.body from rows($1) as r join forward_part p on p.part_id = cast(r.value ->> 0 as bigint)
order by p.part_id
