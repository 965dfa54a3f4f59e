DELETE FROM invoice_lines USING staged_invoices AS staged
WHERE invoice_lines.invoice_id = staged.invoice_id AND staged.outcome = 'changed'
