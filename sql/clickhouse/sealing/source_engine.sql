SELECT engine, engine_full FROM system.tables
WHERE database = {database:String} AND name = {events:String}
