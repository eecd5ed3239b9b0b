-- Heartbeats that were accepted and are not booked yet: a batch is a row at the end of a table, so that it is durable with the
-- least that can be written. Whoever books next takes them all into `heartbeat`. told is a JSON array of
-- [feature, version, from_at, until_at, whether each feature counts, user, host, organization, number].
create table heartbeat_arrival (
    arrival_id {id}, heartbeats bigint not null, told text not null
);
