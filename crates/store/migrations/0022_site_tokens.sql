-- Tokens of sites that were made before each was of one site are of none.
delete from api_token where role = 'site' and site is null;
