select holder_id, handle, at, at_order, seats, end_seats, ended, input_id, nth from unmatched_end
where feature_id = $1 and at >= $2
order by at, nth
