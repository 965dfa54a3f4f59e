UPDATE alerts SET needs_routing = false WHERE alert_id = $1
