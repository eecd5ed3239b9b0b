-- Browsers in which somebody is logged in whom a provider of OpenID Connect has told of, by the SHA-256 of the secret in their
-- cookie. terms is the SHA-256 of what the configuration said then of the provider and of roles: under another one the login
-- is over. person is the SHA-256 of issuer and subject, by which the logins of one person are found.
create table provided_session (
    secret_hash text not null primary key, terms text not null, person text not null, name text not null, role text not null,
    organization text, created_at bigint not null, expires_at bigint not null
) {clustered};
create index provided_session_person on provided_session (person);
