SELECT customer_id FROM baseline_approvals WHERE version = $1
