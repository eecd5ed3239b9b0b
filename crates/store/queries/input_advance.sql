-- By compare-and-set: whoever read an older position loses.
update input set name = $1, format = $2, head_length = $3, head_hash = $4, position = $5, tail_hash = $6,
    reader_state = $7, lines = $8, events = $9, notes = $10, noise = $11, unrecognized = $12,
    read_order = (select coalesce(max(read_order), 0) + 1 from input)
where input_id = $13 and position = $14
