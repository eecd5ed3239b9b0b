delete from heartbeat_arrival where arrival_id in (select cast(r.value ->> 0 as bigint) from rows($1) as r)
