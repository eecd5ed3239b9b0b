insert into polled (server_id, vendor, answers, first_at, last_at) values ($1, $2, $3, $4, $5)
on conflict (server_id, vendor) do update
set answers = excluded.answers, first_at = excluded.first_at, last_at = excluded.last_at
