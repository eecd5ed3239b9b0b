select holder_id, server_id, vendor, user_name, host, display, checkout_data from holder order by holder_id
