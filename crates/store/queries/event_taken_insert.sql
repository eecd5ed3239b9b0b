insert into event_taken (id, taken_at)
select r.value ->> 0, cast(r.value ->> 1 as bigint) from rows($1) as r where true
on conflict (id) do nothing
