-- Browsers in which somebody is logged in, by the SHA-256 of the secret in their cookie. They are good while the account is
-- the one that logged in: who is taken out and added again logs in anew.
create table browser_session (
    secret_hash text not null primary key, account text not null, account_created_at bigint not null,
    created_at bigint not null, expires_at bigint not null
) {clustered};
