-- Object stores have no end, and are left out.
SELECT name, toInt64(least(free_space, 9000000000000000000)) AS free,
    toInt64(least(total_space, 9000000000000000000)) AS total
FROM system.disks
WHERE total_space > 0
