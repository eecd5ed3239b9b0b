-- Sessions that an input's polls were the first to show, and that a later poll of another input showed too: the last poll
-- that showed one was a later one, and no poll of this input.
update session_by_key as s set from_input = coalesce((
    select max(p.input_id) from holder h
    join poll p on p.server_id = h.server_id and p.vendor = h.vendor and p.answered = 1 and p.input_id <> $1
    where h.holder_id = s.holder_id and (s.until_at is null or p.from_at <= s.seen_at)
          and (select max(q.until_at) from poll q
               where q.input_id = $1 and q.server_id = h.server_id and q.vendor = h.vendor)
              < case when s.until_at is null or p.until_at < s.seen_at then p.until_at
                     else s.seen_at end
), from_input)
where from_input = $1 and seen_at is not null
