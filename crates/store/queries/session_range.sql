select min(s.from_at), max(coalesce(s.until_at, s.from_at))
from session s join holder h on h.holder_id = s.holder_id join server v on v.server_id = h.server_id
where v.pairing = 1
