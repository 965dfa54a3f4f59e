INSERT INTO stripe_account (account_id, livemode) VALUES ($1, $2) ON CONFLICT DO NOTHING
