-- Who may ask the service, and who may send it heartbeats. Names are compared as they are written.

-- A person who logs in. organization is given for the role organization-viewer alone. The hash is a PHC text.
create table account (
    name text not null primary key, role text not null, organization text, password_hash text not null,
    created_at bigint not null
) {clustered};

-- A program that says who it is by a secret, of which only the SHA-256 is kept. A token without a role sends heartbeats.
create table api_token (
    name text not null primary key, role text, organization text, token_hash text not null unique,
    last_four text not null, created_at bigint not null
) {clustered};

-- Secrets with which the first admin may be made while there is no account, by their SHA-256.
create table first_admin (secret_hash text not null primary key, expires_at bigint not null) {clustered};
