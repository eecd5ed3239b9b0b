select f.feature_id, f.code from rows($1) as r join feature f on f.feature_id = cast(r.value ->> 0 as bigint)
