select distinct m.login, m.number
from membership m
where m.login is not null and m.number is not null and m.from_day <= {today} and {today} < m.until_day
