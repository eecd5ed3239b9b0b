-- Users of heartbeats who have no earlier holder, of the holders after $2 up to $3.
select h.user_name
from holder h
where h.server_id = $1 and h.vendor = '' and h.user_name <> '' and h.holder_id > $2 and h.holder_id <= $3
  and not exists (
      select 1 from holder o
      where o.server_id = $1 and o.vendor = '' and o.user_name = h.user_name and o.holder_id < h.holder_id
  )
order by h.holder_id
