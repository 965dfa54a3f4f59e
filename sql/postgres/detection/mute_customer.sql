-- Whether a customer ($1) is known: by terms, or by an anomaly.
SELECT customer_id FROM customers WHERE customer_id = $1
UNION ALL
(SELECT customer_id FROM anomalies WHERE customer_id = $1 LIMIT 1)
