-- Heartbeats: buckets of civil time that persons used.

-- A bucket is here until the stretch of adjacent buckets that it belongs to is sealed: made a row of session. slot is 0
-- where a person has one feature a bucket, else the feature: the first heartbeat of a slot gets it.
create table heartbeat (
    from_at bigint not null, person bigint not null, slot bigint not null, until_at bigint not null,
    feature_id bigint not null, version_id bigint not null, holder_id bigint not null,
    primary key (from_at, person, slot)
) {clustered};
