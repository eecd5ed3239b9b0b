insert into feature_at_server (feature_id, server_id, vendor)
select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), r.value ->> 2 from rows($1) as r where true
on conflict (feature_id, server_id, vendor) do nothing
