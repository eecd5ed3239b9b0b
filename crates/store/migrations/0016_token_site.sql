-- The one site of which a token of a site collector may tell. Those that were made before may tell of any.
alter table api_token add column site text;
