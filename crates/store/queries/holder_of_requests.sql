-- Whoever asked for a feature in [$2, $3).
select distinct holder_id from request where feature_id = $1 and at >= $2 and at < $3
