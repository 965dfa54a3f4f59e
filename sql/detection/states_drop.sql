ALTER TABLE detection_states DROP PARTITION {position:Int64}
