ALTER TABLE detection_blocks DROP PARTITION {position:Int64}
