-- Adds up the attempts of days that are over by a day, and are not added up yet.
INSERT INTO stripe_totals (day, outcome, place, requests, seconds, waited_seconds)
SELECT day, outcome, place, count(*), sum(seconds), sum(waited_seconds)
FROM stripe_attempt_facts
WHERE sent_at >= coalesce(
        (SELECT max(day) + 1 FROM stripe_totals)::timestamp AT TIME ZONE 'UTC', '-infinity')
    AND sent_at < date_trunc('day', ledger_clock() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
        - interval '1 day'
GROUP BY day, outcome, place
