-- Answers a row if something was added or changed; xmax is 0 in a row that is new.
INSERT INTO customers AS known (customer_id, stripe_customer_id, email, active_from, active_until)
VALUES ($1, $2, $3, $4::date, $5::date)
ON CONFLICT (customer_id) DO UPDATE SET
    stripe_customer_id = excluded.stripe_customer_id,
    email = excluded.email,
    active_from = excluded.active_from,
    active_until = excluded.active_until,
    recorded_at = now()
WHERE (known.stripe_customer_id, known.email, known.active_from, known.active_until)
    IS DISTINCT FROM
    (excluded.stripe_customer_id, excluded.email, excluded.active_from, excluded.active_until)
RETURNING (xmax = 0) AS is_new
