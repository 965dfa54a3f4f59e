-- One row an hour, customer and metric.
INSERT INTO {hourly:Identifier} (batch, rollup_key, customer_id, hour, events, unparsable, quantity)
/* rows */
