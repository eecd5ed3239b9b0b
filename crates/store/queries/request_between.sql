select holder_id, at, nth, outcome, reason, code, seats, version_id, input_id from request
where feature_id = $1 and at >= $2 and at <= $3
order by at, holder_id, nth
