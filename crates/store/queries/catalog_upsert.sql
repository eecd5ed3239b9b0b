insert into catalog_entry (feature, product, product_type, price)
select r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3 from rows($1) as r where true
on conflict (feature) do update set product = excluded.product,
    product_type = excluded.product_type, price = excluded.price
