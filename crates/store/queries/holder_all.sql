select holder_id, server_id, vendor, user_name, host, display from holder order by holder_id
