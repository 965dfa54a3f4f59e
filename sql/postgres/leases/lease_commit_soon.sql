-- Between the fence and COMMIT nobody else can take the lease: not for longer than it lasts, should we
-- be paused just there.
SELECT set_config('idle_in_transaction_session_timeout', ($1::float8 * 1000)::bigint::text, true)
