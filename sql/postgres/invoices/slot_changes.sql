SELECT count(*) FILTER (WHERE outcome = 'added') AS added,
    count(*) FILTER (WHERE outcome = 'changed') AS changed,
    count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged,
    count(*) FILTER (WHERE outcome = 'submitted') AS submitted,
    count(*) FILTER (WHERE outcome = 'overlapping') AS overlapping
FROM staged_invoices
