insert into source_state (host, name, told_at, told)
select $1, r.value ->> 0, $2, r.value ->> 1 from rows($3) as r where true order by 2
on conflict (host, name) do update set told_at = excluded.told_at, told = excluded.told
