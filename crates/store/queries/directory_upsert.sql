insert into directory_entry (login, domain, organization, project, valid_from, valid_until, external_id)
select r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5,
       cast(r.value ->> 6 as bigint)
from rows($1) as r where true
on conflict (login, domain, valid_from) do update set organization = excluded.organization,
    project = excluded.project, valid_until = excluded.valid_until, external_id = excluded.external_id
