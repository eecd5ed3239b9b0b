insert into server (name, format, pairing, time_zone) values ($1, $2, $3, $4)
on conflict (name) do nothing
