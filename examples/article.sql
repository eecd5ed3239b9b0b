-- The queries of the article "Application Usage Accounting", on the view uso_diario.
-- sqlite3 -header -column seatledger.db < examples/article.sql
-- (On PostgreSQL write 'do' and 'sa' in single quotes.)

select app, aaaa, mm, SUM(uso_en_min) as total_usage
from uso_diario
where (day_of_week !="do" and day_of_week !="sa")
group by app, aaaa, mm order by aaaa,mm, total_usage;

select app,aaaa, mm, (((SUM(uso_en_min)/60)/6)/22) as num_of_lic from uso_diario
where (day_of_week !="do" and day_of_week !="sa")
group by app,aaaa,mm order by aaaa,mm, num_of_lic;
