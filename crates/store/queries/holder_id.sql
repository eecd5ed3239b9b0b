select h.holder_id from holder h
where h.server_id = $1 and h.vendor = $2 and h.user_name = $3 and h.host = $4 and h.display = $5
  and h.checkout_data = $6
