-- Within a transaction: nobody else takes the lease before it ends.
SELECT token FROM leases WHERE name = $1 AND token = $2 FOR SHARE
