-- Who belongs where, as views can ask it. lookup is a user as heartbeats name him (domain\login, login), *\login for users
-- of any domain, =organization, or #number of an organization that is not told. login stands where the row is a person's own. The days are texts; number is the
-- one by which other systems know the organization.
create table membership (
    lookup text not null, login text, from_day text not null, until_day text not null, number bigint,
    primary key (lookup, from_day)
) {clustered}
