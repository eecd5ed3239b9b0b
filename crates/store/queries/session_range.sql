-- From when until when sessions of wrapper records reach; the tables of the article's views need slots for them.
select min(s.from_at), max(coalesce(s.until_at, s.from_at))
from session s
where s.feature_id in (
    select a.feature_id from feature_at_server a join server v on v.server_id = a.server_id where v.pairing = 1
)
