select e.server_id, e.vendor, e.feature_id, v.version, e.seats, e.expires,
       case when e.seen_at > e.at then e.seen_at else e.at end
from expiry e
join server s on s.server_id = e.server_id
join feature f on f.feature_id = e.feature_id
left join version v on v.version_id = e.version_id
order by s.name, e.vendor, f.code, v.version, e.expires
