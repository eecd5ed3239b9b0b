-- Features of which any capacity is known and that several license servers have.
select c.feature_id
from (select distinct feature_id from capacity) c
join (select feature_id from feature_at_server group by feature_id having count(distinct server_id) > 1) s
     on s.feature_id = c.feature_id
