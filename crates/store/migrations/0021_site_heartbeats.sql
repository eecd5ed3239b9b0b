-- At the central service: before when a site takes no heartbeat in any more, as it has told with its last one: all earlier ones
-- are here. While a site has not come so far, nothing of what it may still tell is sealed.
create table site_heartbeats (input_id bigint not null primary key, closed_at bigint not null) {clustered};
