SELECT account_id, livemode FROM stripe_account
