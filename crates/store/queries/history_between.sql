-- What happened in [$1, $2). kind 0: a grant, 1: an end, 2: a denial, 3: queued, 4: dequeued. $4 has each feature, and before when
-- none of its sessions begins that ends in the period.
with feature_from as (
    select cast(r.value ->> 0 as bigint) as feature_id, cast(r.value ->> 1 as bigint) as first_at from rows($4) as r
)
select at, kind, code, feature_id, holder_id, version_id, seats, text, input_id, polled from (
    select s.from_at as at, 0 as kind, cast(null as bigint) as code, s.feature_id, s.holder_id, s.version_id, s.seats,
           '' as text, s.from_input as input_id, s.nth,
           cast(case when s.seen_at is null then 0 else 1 end as bigint) as polled
    from feature_from f
    cross join {sessions:r.feature_id = f.feature_id and r.last_at >= $1 and r.first_at < $2} s
    where s.feature_id = f.feature_id and s.from_at >= $1 and s.from_at < $2
    union all
    select s.until_at, 1, s.ended, s.feature_id, s.holder_id, s.version_id, s.seats, '',
           coalesce(s.until_input, s.from_input), s.nth, cast(case when s.seen_at is null then 0 else 1 end as bigint)
    from feature_from f
    cross join {sessions:r.feature_id = f.feature_id and r.last_at >= f.first_at and r.first_at < $2 and r.until_at >= $1} s
    where s.feature_id = f.feature_id and s.from_at >= f.first_at and s.from_at < $2 and s.until_at >= $1 and s.until_at < $2
          and (s.ended <> 6 or s.seen_at is null or not exists (
              select 1 from running r
              where r.feature_id = s.feature_id and r.from_at = s.from_at and r.holder_id = s.holder_id
                    and r.handle = s.handle and r.awaited_until > $3))
    {apart:union all
    select s.from_at, 0, null, s.feature_id, s.holder_id, s.version_id, s.seats, '', s.input_id, 0, 0
    from feature_from f cross join session_in_run s
    where s.feature_id = f.feature_id and s.last_at >= $1 and s.first_at < $2 and s.from_at >= $1 and s.from_at < $2
          and s.first_at >= (select min(k.first_at + 0) from session_run k where k.feature_id = f.feature_id and k.last_at >= $1)
    union all
    select s.until_at, 1, s.ended, s.feature_id, s.holder_id, s.version_id, s.seats, '', s.input_id, 0, 0
    from feature_from f cross join session_in_run s
    where s.feature_id = f.feature_id and s.last_at >= f.first_at and s.first_at < $2 and s.run_until_at >= $1
          and s.until_at >= $1 and s.until_at < $2
          and s.first_at >= (select min(k.first_at + 0) from session_run k where k.feature_id = f.feature_id and k.last_at >= f.first_at)}
    union all
    select u.at, 1, u.ended, u.feature_id, u.holder_id, 0, u.seats, '', u.input_id, u.nth, cast(0 as bigint)
    from feature_from f cross join unmatched_end u
    where u.feature_id = f.feature_id and u.at >= $1 and u.at < $2
    union all
    select q.at, 2 + q.outcome, q.reason, q.feature_id, q.holder_id, q.version_id, q.seats, q.code, q.input_id, q.nth,
           cast(0 as bigint)
    from feature_from f cross join request q
    where q.feature_id = f.feature_id and q.at >= $1 and q.at < $2
) e
order by at, kind, feature_id, holder_id, nth, seats, version_id, input_id, code, text
