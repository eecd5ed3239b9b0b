select vendor, input_id, run, from_at, until_at, begins_run, polled from span where server_id = $1
order by from_at, until_at, vendor, input_id, run
