select part_id, bytes from forward_part
where input_id not in (select input_id from forward_input where refused is not null)
order by part_id limit $1
