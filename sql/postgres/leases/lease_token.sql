SELECT token FROM leases WHERE name = $1
