select f.feature_id, f.code, c.product, c.product_type, c.price
from feature f
left join catalog_entry c on c.feature = f.code
order by f.feature_id
