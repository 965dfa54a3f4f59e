extension Invoice {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "invoice")
            json.field("account_country", "US")
            json.field("account_name", "MeterFlow simulator")
            json.null("account_tax_ids")
            writeAmounts(to: &json)
            json.null("application")
            json.field("attempt_count", attemptCount)
            json.field("attempted", attempted)
            json.field("auto_advance", autoAdvance)
            json.object("automatic_tax") { json in
                json.nulls("disabled_reason", "liability", "provider")
                json.field("enabled", automaticTax)
                json.field("status", automaticTax ? taxStatus : nil)
            }
            json.field("automatically_finalizes_at", automaticallyFinalizesAt)
            json.field("billing_reason", "manual")
            json.field("collection_method", collectionMethod.rawValue)
            json.field("created", created)
            json.field("currency", currency)
            json.null("custom_fields")
            writeCustomer(to: &json)
            json.nulls("default_payment_method", "default_source")
            json.array("default_tax_rates") { _ in }
            json.field("description", description)
            json.array("discounts") { _ in }
            json.field("due_date", dueDate)
            json.field("effective_at", effectiveAt ?? finalizedAt)
            json.field("ending_balance", endingBalance)
            json.field("footer", footer)
            json.null("from_invoice")
            let page = isFinal ? "https://invoice.stripe.com/i/simulator/\(id)" : nil
            json.field("hosted_invoice_url", page)
            json.field("invoice_pdf", page.map { $0 + "/pdf" })
            json.object("issuer") { $0.field("type", "self") }
            writeFinalizationError(to: &json)
            json.null("latest_revision")
            writeLines(to: &json)
            json.field("livemode", livemode)
            metadata.write(to: &json)
            json.field("next_payment_attempt", nextPaymentAttempt)
            json.field("number", number)
            json.nulls("on_behalf_of", "parent")
            json.object("payment_settings") { json in
                json.nulls(
                    "default_mandate", "payment_method_options", "payment_method_types")
            }
            json.field("period_end", created)
            json.field("period_start", created)
            json.nulls("receipt_number", "rendering", "shipping_cost", "shipping_details")
            json.field("starting_balance", startingBalance)
            json.null("statement_descriptor")
            json.field("status", status.rawValue)
            json.object("status_transitions") { json in
                json.field("finalized_at", finalizedAt)
                json.field("marked_uncollectible_at", markedUncollectibleAt)
                json.field("paid_at", paidAt)
                json.field("voided_at", voidedAt)
            }
            json.null("test_clock")
            json.field("webhooks_delivered_at", status == .draft ? nil : created)
        }
    }

    private var isFinal: Bool { finalizedAt != nil }

    private var taxStatus: String {
        customerAddress?.values["country"] == nil ? "requires_location_inputs" : "complete"
    }

    private func writeAmounts(to json: inout JSONWriter) {
        let (subtotal, tax) = (subtotal, tax)
        json.field("amount_due", amountDue)
        json.field("amount_overpaid", 0)
        json.field("amount_paid", amountPaid)
        json.field("amount_paid_off_stripe", 0)
        json.field("amount_remaining", amountRemaining)
        json.field("amount_shipping", 0)
        json.field("post_payment_credit_notes_amount", postPaymentCredit)
        json.field("pre_payment_credit_notes_amount", prePaymentCredit)
        json.field("subtotal", subtotal)
        json.field("subtotal_excluding_tax", subtotal)
        json.field("total", subtotal + tax)
        json.array("total_discount_amounts") { _ in }
        json.field("total_excluding_tax", subtotal)
        json.array("total_pretax_credit_amounts") { _ in }
        json.array("total_taxes") { json in
            guard tax != 0 else { return }
            json.object { json in
                json.field("amount", tax)
                json.field("tax_behavior", "exclusive")
                json.field("taxability_reason", "standard_rated")
                json.field("taxable_amount", subtotal)
                json.field("type", "tax_rate_details")
            }
        }
    }

    private func writeCustomer(to json: inout JSONWriter) {
        json.field("customer", customer)
        json.null("customer_account")
        json.address("customer_address", customerAddress)
        json.field("customer_email", customerEmail)
        json.field("customer_name", customerName)
        json.nulls("customer_phone", "customer_shipping")
        json.field("customer_tax_exempt", "none")
        json.array("customer_tax_ids") { _ in }
    }

    private func writeFinalizationError(to json: inout JSONWriter) {
        guard let finalizationError else { return json.null("last_finalization_error") }
        json.object("last_finalization_error") { json in
            json.field("code", finalizationError.code)
            json.field("message", finalizationError.message)
            json.field("type", finalizationError.kind.rawValue)
        }
    }

    /// The first page of the lines; the others stand at its `url`.
    private func writeLines(to json: inout JSONWriter) {
        json.object("lines") { json in
            json.field("object", "list")
            json.array("data") { json in
                for line in lines.prefix(10) { line.write(to: &json, invoice: id) }
            }
            json.field("has_more", lines.count > 10)
            json.field("url", "/v1/invoices/\(id)/lines")
        }
    }
}

extension InvoiceLine {
    func write(to json: inout JSONWriter, invoice: String) {
        json.object { json in
            json.field("id", id)
            json.field("object", "line_item")
            json.field("amount", amount)
            json.field("currency", item.currency)
            json.field("description", item.description)
            json.array("discount_amounts") { _ in }
            json.field("discountable", true)
            json.array("discounts") { _ in }
            json.field("invoice", invoice)
            json.field("livemode", item.livemode)
            item.metadata.write(to: &json)
            json.object("parent") { json in
                json.object("invoice_item_details") { json in
                    json.field("invoice_item", item.id)
                    json.field("proration", false)
                    json.nulls("proration_details", "subscription")
                }
                json.null("subscription_item_details")
                json.field("type", "invoice_item_details")
            }
            json.object("period") { json in
                json.field("end", item.periodEnd)
                json.field("start", item.periodStart)
            }
            json.array("pretax_credit_amounts") { _ in }
            item.writePricing(to: &json)
            json.field("quantity", item.quantity)
            json.field("subtotal", amount)
            json.array("taxes") { _ in }
        }
    }
}

extension InvoiceItem {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "invoiceitem")
            json.field("amount", amount)
            json.field("currency", currency)
            json.field("customer", customer)
            json.field("date", created)
            json.field("description", description)
            json.field("discountable", true)
            json.array("discounts") { _ in }
            json.field("invoice", invoice)
            json.field("livemode", livemode)
            metadata.write(to: &json)
            json.field("net_amount", amount)
            json.null("parent")
            json.object("period") { json in
                json.field("end", periodEnd)
                json.field("start", periodStart)
            }
            writePricing(to: &json)
            json.field("proration", false)
            json.field("quantity", quantity)
            json.array("tax_rates") { _ in }
            json.null("test_clock")
        }
    }

    func writePricing(to json: inout JSONWriter) {
        json.object("pricing") { json in
            json.object("price_details") { json in
                json.field("price", "price_of_\(id)")
                json.field("product", product ?? "prod_of_\(id)")
            }
            json.field("type", "price_details")
            json.field("unit_amount_decimal", quantity == 1 ? String(amount) : nil)
        }
    }
}
