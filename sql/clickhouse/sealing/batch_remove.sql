ALTER TABLE /* table */ DELETE WHERE batch = {batch:UInt64}
