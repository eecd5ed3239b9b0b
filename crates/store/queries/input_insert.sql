insert into input (name, format, head_length, head_hash, position, tail_hash, reader_state,
                   lines, events, notes, noise, unrecognized, read_order)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, (select coalesce(max(read_order), 0) + 1 from input))
on conflict do nothing returning input_id
