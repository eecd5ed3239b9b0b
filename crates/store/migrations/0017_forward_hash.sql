-- A site's ledger that was set back to a backup, or copied, numbers its parts as others were numbered that the central service
-- has taken. So each part has a hash over itself and all parts of its input before it.

-- At the site: that of an input's last part, and whether the next one was refused because another part had its number.
alter table forward_input add column hash text not null default '';
alter table forward_input add column diverged bigint not null default 0;
-- At the central service: those of the latest parts of an input. Of parts that were taken before there were any it is empty.
create table site_part (
    input_id bigint not null, part bigint not null, hash text not null, primary key (input_id, part)
) {clustered};
insert into site_part (input_id, part, hash) select input_id, position, '' from input where format = 'site';
