-- Whose part each is, and why an input's next part was refused: its parts stand, those of others go on.
alter table forward_part add column input_id bigint not null default 0;
update forward_part set input_id = {input_of_part};
create index forward_part_input on forward_part (input_id, part_id);
alter table forward_input add column refused text;
