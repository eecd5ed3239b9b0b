insert into alert (rule, subject, kind, phase, since_at, raised_at, changing_at, told_at, level, figures, sequence)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)
on conflict (rule, subject) do nothing
