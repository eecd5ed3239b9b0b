-- Sessions of runs as rows, by the keys of their runs.
insert into session_by_key
{unrolled:(
    select w.*
    from rows($1) as k
    join session_run w on w.feature_id = cast(k.value ->> 0 as bigint) and w.last_at = cast(k.value ->> 1 as bigint)
         and w.first_at = cast(k.value ->> 2 as bigint) and w.run_id = cast(k.value ->> 3 as bigint)
)}
