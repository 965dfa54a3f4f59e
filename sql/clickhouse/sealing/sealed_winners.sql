(
    SELECT batch, customer_id, transaction_id, event_type, timestamp, properties/* metric values */
    FROM {winners:Identifier}
    WHERE batch >= {first_batch:UInt64} AND batch <= {last_batch:UInt64}
        AND NOT has({hidden:Array(UInt64)}, batch)
)
