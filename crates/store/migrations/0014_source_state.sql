-- How the sources of services are, as told last by the process that takes each in; one that is killed leaves what it said.
create table source_state (source text primary key, host text not null, told_at bigint not null, told text not null) {clustered};
