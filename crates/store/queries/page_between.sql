select day, page from feature_day_page where feature_id = $1 and day >= $2 and day < $3 order by day, part
