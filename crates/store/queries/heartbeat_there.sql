-- Which of these persons have used which of these buckets.
select h.from_at, h.person from rows($1) as r
join heartbeat h on h.from_at = cast(r.value ->> 0 as bigint) and h.person = cast(r.value ->> 1 as bigint)
