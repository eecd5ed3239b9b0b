-- Pages of the first layout cannot be read any more: their days are derived anew.

insert into feature_day_mark (feature_id, day, state, mark)
select feature_id, day, 0, 0 from feature_day where true
on conflict do nothing;
delete from feature_day_page;
delete from feature_day;
