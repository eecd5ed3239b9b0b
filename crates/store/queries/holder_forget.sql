-- Hosts are told apart still, but not named: one person may hold on several.
update holder set user_name = $2, host = 'host-' || cast(holder_id as text), display = '', checkout_data = ''
where holder_id in (select cast(r.value ->> 0 as bigint) from rows($1) as r)
