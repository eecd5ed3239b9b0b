-- When a date was told last by pools in use, which tell no seats, where that is later than `at`.
alter table expiry add column seen_at bigint;
