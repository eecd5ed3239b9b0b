-- Claims of these sources for a process, where nobody else who lives has claimed them.
insert into source_claim (source, claimant)
select r.value ->> 0, $2 from rows($1) as r where true
on conflict (source) do update set claimant = excluded.claimant
where not exists (select 1 from claimant c where c.name = source_claim.claimant)
