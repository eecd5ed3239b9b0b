insert into site_heartbeats (input_id, closed_at) values ($1, $2)
on conflict (input_id) do update set closed_at = excluded.closed_at where excluded.closed_at > site_heartbeats.closed_at
