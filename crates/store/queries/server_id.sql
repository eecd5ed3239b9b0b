select server_id from server where name = $1
