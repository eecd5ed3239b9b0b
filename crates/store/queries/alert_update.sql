update alert
set kind = $3, phase = $4, since_at = $5, raised_at = $6, changing_at = $7, told_at = $8, level = $9, figures = $10,
    sequence = sequence + 1
where rule = $1 and subject = $2 and sequence = $11
