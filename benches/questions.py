"""The questions of the step `reports`, in SQL as DuckDB understands it; civil days are those of UTC."""

DAY, HOUR = 86_400_000, 3_600_000

# Sessions by the days that they touch; most touch one, so that only the others are unnested.
PARTS = f"""
    select feature, seats, d, greatest(from_at, d * {DAY}) as f, least(until_at, (d + 1) * {DAY}) as u from (
        select feature, seats, from_at, until_at, from_at // {DAY} as d from session where until_at > from_at
        union all
        select feature, seats, from_at, until_at, unnest(range(from_at // {DAY} + 1, (until_at - 1) // {DAY} + 1))
        from session where until_at > (from_at // {DAY} + 1) * {DAY}
    )
"""

MINUTES = f"""
    with part as ({PARTS}), day as (
        select feature, d,
               sum(seats * greatest(0, least(u, d * {DAY} + 8 * {HOUR}) - f)) as overnight,
               sum(seats * greatest(0, least(u, d * {DAY} + 19 * {HOUR}) - greatest(f, d * {DAY} + 8 * {HOUR}))) as prime,
               sum(seats * greatest(0, u - greatest(f, d * {DAY} + 19 * {HOUR}))) as overtime
        from part group by 1, 2
    )
    select feature, strftime(make_timestamp(d * {DAY} * 1000), '%Y-%m') as month,
           sum(overnight)::bigint, sum(prime)::bigint, sum(overtime)::bigint
    from day group by 1, 2
"""

PEAKS = f"""
    with part as ({PARTS}), edge as (
        select feature, d, f as t, seats as s from part union all select feature, d, u, -seats from part
    ), level as (
        select feature, d, sum(s) over (partition by feature, d order by t, s rows unbounded preceding) as n from edge
    )
    select feature, d, max(n)::bigint from level group by 1, 2
"""

HOURS = f"""
    with part as (
        select feature, seats, h, least(until_at, (h + 1) * {HOUR}) - greatest(from_at, h * {HOUR}) as ms from (
            select feature, seats, from_at, until_at, unnest(range(from_at // {HOUR}, (until_at - 1) // {HOUR} + 1)) as h
            from session where until_at > from_at
        )
    )
    select feature, (h + 72) % 168 as hour_of_week, sum(seats * ms)::bigint from part group by 1, 2
"""

# The same in the dialect of SQLite, over the ledger's own tables.
SQLITE_SESSION = """
    create temp view part as
    select f.code as feature, s.seats, s.from_at, coalesce(s.until_at, e.at) as until_at
    from session s join feature f on f.feature_id = s.feature_id cross join (
        select max(until_at) as at from span where input_id in (select input_id from input where format = 'flexnet')
    ) e
"""

SQLITE_MINUTES = """
    select feature, substr(day, 1, 7), time_class,
           sum(seats * (case when p.until_at < c.until_at then p.until_at else c.until_at end
                        - case when p.from_at > c.from_at then p.from_at else c.from_at end))
    from part p cross join slot c on c.from_at > p.from_at - 86400000 and c.from_at < p.until_at and c.until_at > p.from_at
    group by 1, 2, 3
"""
