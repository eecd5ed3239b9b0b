insert into source_state (source, host, told_at, told)
select r.value ->> 0, $1, $2, r.value ->> 1 from rows($3) as r where true order by 1
on conflict (source) do update set host = excluded.host, told_at = excluded.told_at, told = excluded.told
