SELECT database, name, engine, engine_full, as_select FROM system.tables
WHERE database = {database:String} AND name = {events:String}
