SELECT customer_id, rollup_key, events, unparsable, toDecimal256(quantity, 9) AS quantity
FROM /* table */
WHERE has({rollup_keys:Array(String)}, rollup_key)
    AND /* unit */ >= fromUnixTimestamp64Milli(/* start */, 'UTC')
    AND /* unit */ < fromUnixTimestamp64Milli(/* end */, 'UTC')
    AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
    AND /* customer filter */ true
