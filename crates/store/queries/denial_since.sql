-- Feature by feature, so that the table's own order finds them.
select r.at, r.feature_id, r.holder_id, r.reason from feature f
join request r on r.feature_id = f.feature_id and r.at >= $1 and r.at <= $2
where r.outcome = 0
