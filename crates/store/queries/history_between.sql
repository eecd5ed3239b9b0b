-- kind 0: a grant, 1: an end, 2: a denial, 3: queued, 4: dequeued.
select at, kind, code, feature_id, holder_id, version_id, seats, text, input_id, polled from (
    select from_at as at, 0 as kind, cast(null as bigint) as code, feature_id, holder_id, version_id, seats,
           '' as text, from_input as input_id, nth, cast(case when seen_at is null then 0 else 1 end as bigint) as polled
    from session
    union all
    select until_at, 1, ended, feature_id, holder_id, version_id, seats, '', coalesce(until_input, from_input), nth,
           cast(case when seen_at is null then 0 else 1 end as bigint)
    from session where until_at is not null and (ended <> 6 or seen_at is null or not exists (
        select 1 from running r
        where r.feature_id = session.feature_id and r.from_at = session.from_at and r.holder_id = session.holder_id
              and r.handle = session.handle and r.awaited_until > $3))
    union all
    select at, 1, ended, feature_id, holder_id, 0, seats, '', input_id, nth, cast(0 as bigint) from unmatched_end
    union all
    select at, 2 + outcome, reason, feature_id, holder_id, version_id, seats, code, input_id, nth, cast(0 as bigint) from request
) e
where at >= $1 and at < $2
order by at, kind, feature_id, holder_id, nth
