-- How the sources of services are, as each service told last; a service that is killed leaves what it said.
create table source_state (
    host text not null, name text not null, told_at bigint not null, told text not null, primary key (host, name)
) {clustered};
