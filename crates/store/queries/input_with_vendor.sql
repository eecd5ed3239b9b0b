select i.input_id, i.name, i.format, i.head_length, i.head_hash, i.position, i.tail_hash, i.reader_state, i.read_order,
       i.lines, i.events, i.notes, i.noise, i.unrecognized,
       v.name, max(p.until_at)
from input i
join span p on p.input_id = i.input_id and p.vendor = $2
join server v on v.server_id = p.server_id
where i.format = $1
group by i.input_id, i.name, i.format, i.head_length, i.head_hash, i.position, i.tail_hash, i.reader_state,
         i.read_order, i.lines, i.events, i.notes, i.noise, i.unrecognized, v.name
order by max(p.until_at) desc, i.read_order desc
