delete from source_state where site = $1 and (site, collector, source) not in (
    select site, collector, source from source_state where site = $1 order by told_at desc, collector, source limit $2)
