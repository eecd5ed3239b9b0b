-- What a site collector has taken in and the central service has not taken yet.

-- One row, once a ledger has been told to forward. The figures are those of the parts that wait, so that nobody counts them;
-- last_part is the number of the last part that there ever was: none is given twice.
create table forward (
    is_on bigint not null, site text not null, name text not null, most_bytes bigint not null,
    waiting_parts bigint not null, waiting_bytes bigint not null, last_part bigint not null
);
-- How many parts of an input there have been.
create table forward_input (input_id bigint not null primary key, parts bigint not null) {clustered};
-- A part as it is posted, written in the transaction of the facts that it tells. It goes when it is taken.
create table forward_part (
    part_id bigint not null primary key, created_at bigint not null default ({now}), bytes bigint not null,
    body text not null
);
-- At the central service: an input of a site is known by the site and its number there, and there is one of them.
create unique index input_of_site on input (head_hash) where format = 'site';
