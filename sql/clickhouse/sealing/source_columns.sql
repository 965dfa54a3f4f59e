SELECT name, type FROM system.columns
WHERE database = {database:String} AND table = {events:String}
