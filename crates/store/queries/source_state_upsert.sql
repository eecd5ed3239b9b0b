insert into source_state (site, collector, source, host, told_at, told)
select $1, $2, r.value ->> 0, r.value ->> 1, cast(r.value ->> 2 as bigint), r.value ->> 3 from rows($3) as r where true order by 1, 2, 3
on conflict (site, collector, source) do update set host = excluded.host, told_at = excluded.told_at, told = excluded.told
