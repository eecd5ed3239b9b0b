-- The books. {id}, {clustered} and {bytes} are replaced by what the dialect calls them.
-- Instants are milliseconds since 1970-01-01 UTC, days are texts YYYY-MM-DD.

create table setting (name text not null primary key, value text not null) {clustered};

-- Dimensions: written rarely.
create table server (
    server_id {id}, name text not null unique, format text not null, pairing bigint not null,
    time_zone text not null,
    -- Moved by compare-and-set in every commit that pairs: who loses reads again.
    sequence bigint not null default 0
);
create table feature (feature_id {id}, code text not null unique);
create table version (version_id {id}, version text not null unique);
create table holder (
    holder_id {id}, server_id bigint not null, vendor text not null, user_name text not null, host text not null,
    display text not null, checkout_data text not null,
    unique (server_id, vendor, user_name, host, display, checkout_data)
);
create table feature_at_server (
    feature_id bigint not null, server_id bigint not null, vendor text not null,
    primary key (feature_id, server_id, vendor)
) {clustered};
create table package_component (
    package_id bigint not null, component_id bigint not null, primary key (package_id, component_id)
) {clustered};
create table catalog_entry (
    feature text not null primary key, product text not null, product_type text, price text
) {clustered};
create table directory_entry (
    login text not null, domain text not null, organization text, project text,
    valid_from text not null, valid_until text, external_id bigint,
    primary key (login, domain, valid_from)
) {clustered};

-- What was read: an input is known by its bytes, never by its name.
create table input (
    input_id {id}, name text not null, format text not null,
    head_length bigint not null, head_hash text not null,
    position bigint not null, tail_hash text not null,
    -- How the parser goes on, and a last line that had no line ending yet.
    reader_state text not null, read_order bigint not null,
    lines bigint not null, events bigint not null, notes bigint not null, noise bigint not null,
    unrecognized bigint not null
);
create table span (
    server_id bigint not null, vendor text not null, input_id bigint not null, run bigint not null,
    from_at bigint not null, until_at bigint not null, begins_run bigint not null,
    primary key (server_id, vendor, input_id, run, from_at)
) {clustered};
create table daemon_break (
    server_id bigint not null, vendor text not null, at bigint not null, kind bigint not null,
    input_id bigint not null,
    primary key (server_id, vendor, at, kind)
) {clustered};
create table quarantine (
    input_id bigint not null, shape text not null, reason text not null,
    lines bigint not null, first_line bigint not null, sample text not null,
    primary key (input_id, shape, reason)
) {clustered};

-- The truth: sessions, and what did not become one.
-- A row holds what is rare in as few bytes as there are: start_seats only where the start had more seats than this part
-- of it; end_seats only where the end event had more; the orders of events within their instants only where there are
-- any (from << 32 | until). until_input says where the end event was read: none for what broke off or was superseded.
create table session (
    feature_id bigint not null, from_at bigint not null, holder_id bigint not null, handle text not null,
    nth bigint not null, until_at bigint, seats bigint, ended bigint, version_id bigint,
    from_input bigint, until_input bigint, start_seats bigint, end_seats bigint, orders bigint,
    primary key (feature_id, from_at, holder_id, handle, nth)
) {clustered};
create index session_open on session (feature_id, from_at) where until_at is null;
create table unmatched_end (
    feature_id bigint not null, at bigint not null, holder_id bigint not null, handle text not null,
    nth bigint not null, at_order bigint not null, seats bigint not null, end_seats bigint not null,
    ended bigint not null, input_id bigint not null,
    primary key (feature_id, at, holder_id, handle, nth)
) {clustered};
create table request (
    feature_id bigint not null, at bigint not null, holder_id bigint not null, nth bigint not null,
    outcome bigint not null, reason bigint, code text not null, seats bigint not null, version_id bigint not null,
    input_id bigint not null,
    primary key (feature_id, at, holder_id, nth)
) {clustered};
create table capacity (
    feature_id bigint not null, server_id bigint not null, at bigint not null, seats_issued bigint,
    input_id bigint not null,
    primary key (feature_id, server_id, at)
) {clustered};

-- Derived: dropped and rebuilt at will. seat_ms and person_ms are JSON objects by time class.
create table feature_day (
    feature_id bigint not null, day text not null, seat_ms text not null, person_ms text not null,
    sessions bigint not null, persons bigint not null,
    seats_peak bigint not null, seats_peak_at bigint, denials bigint not null, seats_issued bigint,
    primary key (feature_id, day)
) {clustered};
create table feature_day_page (
    feature_id bigint not null, day text not null, part bigint not null, page {bytes} not null,
    primary key (feature_id, day, part)
) {clustered};
-- state 0: dirty, to be computed anew; 1: unsettled, computed when read.
create table feature_day_mark (
    feature_id bigint not null, day text not null, state bigint not null, mark bigint not null,
    primary key (feature_id, day, state, mark)
) {clustered};
create table calendar_slot (
    from_at bigint not null primary key, until_at bigint not null, day text not null, time_class text not null,
    day_of_week text not null, offset_ms bigint not null, changes_at bigint, offset_after_ms bigint not null
) {clustered};
