extension InvoicePayment {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "invoice_payment")
            json.field("amount_paid", amountPaid)
            json.field("amount_requested", amountRequested)
            json.field("created", created)
            json.field("currency", currency)
            json.field("invoice", invoice)
            json.field("is_default", true)
            json.field("livemode", livemode)
            json.object("payment") { json in
                json.field("payment_intent", paymentIntent)
                json.field("type", "payment_intent")
            }
            json.field("status", status.rawValue)
            json.object("status_transitions") { json in
                json.field("canceled_at", canceledAt)
                json.field("paid_at", paidAt)
            }
        }
    }
}

extension CreditNote {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "credit_note")
            json.field("amount", amount)
            json.field("amount_shipping", 0)
            json.field("created", created)
            json.field("currency", currency)
            json.field("customer", customer)
            json.null("customer_balance_transaction")
            json.field("discount_amount", 0)
            json.array("discount_amounts") { _ in }
            json.field("effective_at", created)
            json.field("invoice", invoice)
            json.object("lines") { json in
                json.field("object", "list")
                json.array("data") { _ in }
                json.field("has_more", false)
                json.field("url", "/v1/credit_notes/\(id)/lines")
            }
            json.field("livemode", livemode)
            json.field("memo", memo)
            metadata.write(to: &json)
            json.field("number", number)
            json.null("out_of_band_amount")
            json.field("pdf", "https://pay.stripe.com/credit_notes/simulator/\(id)/pdf")
            json.field("post_payment_amount", postPaymentAmount)
            json.field("pre_payment_amount", amount - postPaymentAmount)
            json.array("pretax_credit_amounts") { _ in }
            json.field("reason", reason)
            json.array("refunds") { _ in }
            json.null("shipping_cost")
            json.field("status", voidedAt == nil ? "issued" : "void")
            json.field("subtotal", amount)
            json.field("subtotal_excluding_tax", amount)
            json.field("total", amount)
            json.field("total_excluding_tax", amount)
            json.array("total_taxes") { _ in }
            json.field(
                "type",
                postPaymentAmount == 0
                    ? "pre_payment" : postPaymentAmount == amount ? "post_payment" : "mixed")
            json.field("voided_at", voidedAt)
        }
    }
}

extension WebhookEndpoint {
    /// - Parameter showsSecret: true in the answer that creates it, and never again.
    func write(to json: inout JSONWriter, showsSecret: Bool = false) {
        json.object { json in
            json.field("id", id)
            json.field("object", "webhook_endpoint")
            if isDeleted {
                json.field("deleted", true)
                return
            }
            json.field("api_version", apiVersion)
            json.null("application")
            json.field("created", created)
            json.field("description", description)
            json.array("enabled_events") { json in
                for type in enabledEvents { json.string(type) }
            }
            json.field("livemode", livemode)
            metadata.write(to: &json)
            if showsSecret { json.field("secret", secret) }
            json.field("status", "enabled")
            json.field("url", url)
        }
    }
}
