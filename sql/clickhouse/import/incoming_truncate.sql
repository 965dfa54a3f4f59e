TRUNCATE TABLE {incoming:Identifier}
