select v.version_id, v.version from rows($1) as r join version v on v.version_id = cast(r.value ->> 0 as bigint)
