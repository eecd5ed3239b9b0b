delete from forward_part where part_id in (select cast(r.value ->> 0 as bigint) from rows($1) as r)
