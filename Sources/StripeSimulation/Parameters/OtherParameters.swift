extension ParameterTable {
    /// What the operations on everything but invoices take.
    static let others = """
        GET /v1/account
        GET /v1/customers
          created: range
          email: text 512
          ending_before: text 5000
          limit: integer
          starting_after: text 5000
          unserved: test_clock
        POST /v1/customers
          address: object or empty
            city: text 5000
            country: text 5000
            line1: text 5000
            line2: text 5000
            postal_code: text 5000
            state: text 5000
          balance: integer
          business_name: text 150 or empty
          description: text 5000
          email: text 512
          individual_name: text 150 or empty
          metadata: metadata or empty
          name: text 256
          phone: text 20
          unserved: cash_balance invoice_prefix invoice_settings next_invoice_sequence payment_method
          unserved: preferred_locales shipping source tax tax_exempt tax_id_data test_clock
        GET /v1/customers/{customer}
        POST /v1/customers/{customer}
          address: object or empty
            city: text 5000
            country: text 5000
            line1: text 5000
            line2: text 5000
            postal_code: text 5000
            state: text 5000
          balance: integer
          business_name: text 150 or empty
          description: text 5000
          email: text 512
          individual_name: text 150 or empty
          metadata: metadata or empty
          name: text 256
          phone: text 20
          unserved: bank_account card cash_balance default_alipay_account default_bank_account
          unserved: default_card default_source invoice_prefix invoice_settings next_invoice_sequence
          unserved: preferred_locales shipping source tax tax_exempt
        DELETE /v1/customers/{customer}
        GET /v1/invoiceitems
          created: range
          customer: text 5000
          ending_before: text 5000
          invoice: text 5000
          limit: integer
          pending: boolean
          starting_after: text 5000
          unserved: customer_account
        POST /v1/invoiceitems
          amount: integer
          currency: currency
          customer: text 5000
          description: text 5000
          invoice: text 5000
          metadata: metadata or empty
          period: object
            end!: time
            start!: time
          price_data: object
            currency!: currency
            product!: text 5000
            unit_amount: integer
            unserved: tax_behavior unit_amount_decimal
          quantity: integer
          unserved: customer_account discountable discounts pricing quantity_decimal subscription
          unserved: tax_behavior tax_code tax_rates unit_amount_decimal
        GET /v1/invoiceitems/{invoiceitem}
        DELETE /v1/invoiceitems/{invoiceitem}
        GET /v1/credit_notes
          created: range
          customer: text 5000
          ending_before: text 5000
          invoice: text 5000
          limit: integer
          starting_after: text 5000
          unserved: customer_account
        POST /v1/credit_notes
          amount: integer
          credit_amount: integer
          invoice!: text 5000
          memo: text 5000
          metadata: metadata
          reason: one of duplicate fraudulent order_change product_unsatisfactory
          unserved: effective_at email_type lines out_of_band_amount refund_amount
          unserved: refunds shipping_cost
        GET /v1/credit_notes/{id}
        POST /v1/credit_notes/{id}/void
        GET /v1/invoice_payments
          created: range
          ending_before: text 5000
          invoice: text 5000
          limit: integer
          starting_after: text 5000
          payment: object
            payment_intent: text 5000
            type!: one of payment_intent
            unserved: payment_record
          status: one of canceled open paid
        GET /v1/invoice_payments/{invoice_payment}
        POST /v1/refunds
          amount: integer
          payment_intent!: text 5000
          unserved: charge currency customer instructions_email metadata origin reason
          unserved: refund_application_fee reverse_transfer
        GET /v1/refunds
          created: range
          ending_before: text 5000
          limit: integer
          payment_intent: text 5000
          starting_after: text 5000
          unserved: charge
        GET /v1/refunds/{id}
        GET /v1/disputes
          created: range
          ending_before: text 5000
          limit: integer
          payment_intent: text 5000
          starting_after: text 5000
          unserved: charge
        GET /v1/disputes/{id}
        GET /v1/events
          created: range
          delivery_success: boolean
          ending_before: text 5000
          limit: integer
          starting_after: text 5000
          type: text 5000
          types: list of text 5000
        GET /v1/events/{id}
        GET /v1/webhook_endpoints
          ending_before: text 5000
          limit: integer
          starting_after: text 5000
        POST /v1/webhook_endpoints
          api_version: text 40
          description: text 5000 or empty
          enabled_events!: list of event
          metadata: metadata or empty
          url!: text
          unserved: connect
        GET /v1/webhook_endpoints/{webhook_endpoint}
        DELETE /v1/webhook_endpoints/{webhook_endpoint}
        """
}
