DROP TABLE IF EXISTS {incoming:Identifier}
