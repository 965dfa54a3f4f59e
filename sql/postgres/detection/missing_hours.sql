SELECT hour_index FROM detection_missing_hours WHERE hour_index >= $1
