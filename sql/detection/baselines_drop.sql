ALTER TABLE detection_baselines DROP PARTITION {version:Int64}
