-- Events that wrappers and collectors send.

-- Runs that have not told their end: the session's row ends at the last that was heard, and is read as open until
-- awaited_until.
create table running (
    feature_id bigint not null, from_at bigint not null, holder_id bigint not null, handle text not null,
    awaited_until bigint not null,
    primary key (feature_id, from_at, holder_id, handle)
) {clustered};

-- What senders call the events that were taken in: none counts twice. Removed long after nobody sends them again.
create table event_taken (id text not null primary key, taken_at bigint not null) {clustered};
create index event_taken_at on event_taken (taken_at);
