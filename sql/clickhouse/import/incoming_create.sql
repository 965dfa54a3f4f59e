-- Where a batch waits to be compared with the log. The name is that of one import alone.
CREATE TABLE {incoming:Identifier} AS events ENGINE = MergeTree ORDER BY tuple()
