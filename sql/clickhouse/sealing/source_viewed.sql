-- The tables that a view reads: its statement is kept with their full names.
SELECT database, name, engine, engine_full, as_select FROM system.tables
WHERE position(
    concat(replaceRegexpAll(replaceAll({select:String}, '`', ''), '[(),\\s]+', ' '), ' '),
    concat(' ', database, '.', name, ' ')) > 0
