insert into claimant (name, host, machine, process, begun, until_at) values ($1, $2, $3, $4, $5, $6)
on conflict (name) do update set until_at = excluded.until_at
