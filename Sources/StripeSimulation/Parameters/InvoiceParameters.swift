extension ParameterTable {
    /// What the operations on invoices take.
    static let invoices = """
        GET /v1/invoices
          collection_method: one of charge_automatically send_invoice
          created: range
          customer: text 5000
          due_date: range
          ending_before: text 5000
          limit: integer
          starting_after: text 5000
          status: one of draft open paid uncollectible void
          unserved: customer_account subscription
        POST /v1/invoices
          auto_advance: boolean
          automatic_tax: object
            enabled!: boolean
            unserved: liability
          automatically_finalizes_at: time
          collection_method: one of charge_automatically send_invoice
          currency: currency
          customer: text 5000
          days_until_due: integer
          description: text 1500
          due_date: time
          effective_at: time
          footer: text 5000
          metadata: metadata or empty
          number: text 26
          pending_invoice_items_behavior: one of exclude include
          unserved: account_tax_ids application_fee_amount custom_fields customer_account
          unserved: default_payment_method default_source default_tax_rates discounts from_invoice
          unserved: issuer on_behalf_of payment_settings rendering shipping_cost shipping_details
          unserved: statement_descriptor subscription transfer_data
        GET /v1/invoices/{invoice}
        POST /v1/invoices/{invoice}
          auto_advance: boolean
          automatic_tax: object
            enabled!: boolean
            unserved: liability
          automatically_finalizes_at: time
          collection_method: one of charge_automatically send_invoice
          days_until_due: integer
          description: text 1500
          due_date: time
          effective_at: time or empty
          footer: text 5000
          metadata: metadata or empty
          number: text 26 or empty
          unserved: account_tax_ids application_fee_amount custom_fields default_payment_method
          unserved: default_source default_tax_rates discounts issuer on_behalf_of payment_settings
          unserved: rendering shipping_cost shipping_details statement_descriptor transfer_data
        DELETE /v1/invoices/{invoice}
        POST /v1/invoices/{invoice}/add_lines
          invoice_metadata: metadata or empty
          lines!: list of object
            amount: integer
            description: text 5000
            metadata: metadata or empty
            period: object
              end!: time
              start!: time
            price_data: object
              currency!: currency
              product: text 5000
              product_data: object
                description: text 40000
                metadata: metadata
                name!: text 5000
                unserved: images tax_code unit_label
              unit_amount: integer
              unserved: tax_behavior unit_amount_decimal
            quantity: integer
            unserved: discountable discounts invoice_item pricing quantity_decimal tax_amounts
            unserved: tax_rates
        GET /v1/invoices/{invoice}/lines
          ending_before: text 5000
          limit: integer
          starting_after: text 5000
        POST /v1/invoices/{invoice}/finalize
          auto_advance: boolean
        POST /v1/invoices/{invoice}/send
        POST /v1/invoices/{invoice}/pay
          paid_out_of_band: boolean
          unserved: forgive mandate off_session payment_method source
        POST /v1/invoices/{invoice}/void
        POST /v1/invoices/{invoice}/mark_uncollectible
        """
}
