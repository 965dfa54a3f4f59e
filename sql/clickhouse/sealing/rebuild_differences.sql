-- Where two generations do not agree: customers' days, by metric.
SELECT count() AS differing, arrayStringConcat(groupArray(5)(cell), '; ') AS examples
FROM
(
    SELECT customer_id, day, metric,
        concat(customer_id, ' on ', toString(toDate(day)), ': ', metric, ' ',
            toString(sumIf(events, NOT is_new)), ' events, rebuilt ', toString(sumIf(events, is_new))) AS cell
    FROM
    (
        SELECT false AS is_new, customer_id, day, splitByChar('.', rollup_key)[1] AS metric, events, unparsable, toDecimal256(quantity, 9) AS quantity
        FROM {old_daily:Identifier}
        WHERE batch <= {old_cutoff:UInt64} AND NOT has({old_hidden:Array(UInt64)}, batch)
            AND has({old_keys:Array(String)}, rollup_key)
        UNION ALL
        SELECT true, customer_id, day, splitByChar('.', rollup_key)[1], events, unparsable, toDecimal256(quantity, 9)
        FROM {daily:Identifier}
        WHERE batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
            AND has({keys:Array(String)}, rollup_key)
    )
    GROUP BY customer_id, day, metric
    HAVING sumIf(events, is_new) != sumIf(events, NOT is_new)
        OR sumIf(unparsable, is_new) != sumIf(unparsable, NOT is_new)
        OR if(has({maxima:Array(String)}, metric),
            maxIf(quantity, is_new) IS DISTINCT FROM maxIf(quantity, NOT is_new),
            sumIf(quantity, is_new) IS DISTINCT FROM sumIf(quantity, NOT is_new))
    ORDER BY customer_id, day, metric
)
