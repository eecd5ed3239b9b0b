select i.input_id, i.name, i.format, i.head_length, i.head_hash, i.position, i.tail_hash, i.reader_state, i.read_order,
       i.lines, i.events, i.notes, i.noise, i.unrecognized
from input i where i.format = 'site' and i.head_hash = $1
