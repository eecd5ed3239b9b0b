select t.id from rows($1) as r join event_taken t on t.id = r.value ->> 0
