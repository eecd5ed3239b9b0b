-- What was accepted in these batches, the oldest first.
select a.told from heartbeat_arrival a
where a.arrival_id in (select cast(r.value ->> 0 as bigint) from rows($1) as r)
order by a.arrival_id
