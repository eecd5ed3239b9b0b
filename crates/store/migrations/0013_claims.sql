-- Which process takes a source in, where several have it in their configuration. A process that lives moves until_at on.
create table claimant (
    name text primary key, host text not null, machine text not null, process bigint not null, begun text not null,
    until_at bigint not null
) {clustered};
create table source_claim (source text primary key, claimant text not null) {clustered};
