insert into package_component (package_id, component_id)
select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint) from rows($1) as r where true
on conflict (package_id, component_id) do nothing
