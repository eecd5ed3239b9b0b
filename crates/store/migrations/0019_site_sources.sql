-- How the sources of sites are, as their collectors tell, beside those of this ledger's own services (site and collector empty).
-- They are states, told again every minute by whoever lives: what stood here is not kept.
drop table source_state;
create table source_state (
    site text not null, collector text not null, source text not null, host text not null, told_at bigint not null, told text not null,
    primary key (site, collector, source)
) {clustered};
