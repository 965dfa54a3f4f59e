extension StripeAccount {
    /// Executes an operation whose parameters were checked.
    ///
    /// An operation that refuses has changed nothing, but for the events and counts of an attempt.
    func execute(_ call: Call) -> Answer {
        do throws(StripeError) {
            return try dispatch(call)
        } catch {
            return .refusal(error)
        }
    }

    private func dispatch(_ call: Call) throws(StripeError) -> Answer {
        switch call.operation {
        case "GET /v1/account": .account(id: id, livemode: livemode)

        case "POST /v1/customers": try createCustomer(call.form)
        case "GET /v1/customers": try listCustomers(call.form)
        case "GET /v1/customers/{customer}": try retrieveCustomer(call.id)
        case "POST /v1/customers/{customer}": try updateCustomer(call.id, call.form)
        case "DELETE /v1/customers/{customer}": try deleteCustomer(call.id)

        case "POST /v1/invoices": try createInvoice(call.form)
        case "GET /v1/invoices": try listInvoices(call.form)
        case "GET /v1/invoices/{invoice}": .object(.invoice(try invoice(call.id)))
        case "POST /v1/invoices/{invoice}": try updateInvoice(call.id, call.form)
        case "DELETE /v1/invoices/{invoice}": try deleteInvoice(call.id)
        case "POST /v1/invoices/{invoice}/add_lines": try addLines(call.id, call.form)
        case "GET /v1/invoices/{invoice}/lines": try listLines(call.id, call.form)
        case "POST /v1/invoices/{invoice}/finalize": try finalizeInvoice(call.id, call.form)
        case "POST /v1/invoices/{invoice}/send": try sendInvoice(call.id)
        case "POST /v1/invoices/{invoice}/pay": try payInvoice(call.id, call.form)
        case "POST /v1/invoices/{invoice}/void": try voidInvoice(call.id)
        case "POST /v1/invoices/{invoice}/mark_uncollectible": try markUncollectible(call.id)

        case "POST /v1/invoiceitems": try createItem(call.form)
        case "GET /v1/invoiceitems": try listItems(call.form)
        case "GET /v1/invoiceitems/{invoiceitem}": .object(.item(try item(call.id)))
        case "DELETE /v1/invoiceitems/{invoiceitem}": try deleteItem(call.id)

        case "POST /v1/credit_notes": try createCreditNote(call.form)
        case "GET /v1/credit_notes": try listCreditNotes(call.form)
        case "GET /v1/credit_notes/{id}": .object(.creditNote(try creditNote(call.id)))
        case "POST /v1/credit_notes/{id}/void": try voidCreditNote(call.id)

        case "GET /v1/invoice_payments": try listPayments(call.form)
        case "GET /v1/invoice_payments/{invoice_payment}": try retrievePayment(call.id)

        case "POST /v1/refunds": try createRefund(call.form)
        case "GET /v1/refunds": try listRefunds(call.form)
        case "GET /v1/refunds/{id}": try retrieveRefund(call.id)
        case "GET /v1/disputes": try listDisputes(call.form)
        case "GET /v1/disputes/{id}": try retrieveDispute(call.id)

        case "GET /v1/events": try listEvents(call.form)
        case "GET /v1/events/{id}": try retrieveEvent(call.id)

        case "POST /v1/webhook_endpoints": try createEndpoint(call.form)
        case "GET /v1/webhook_endpoints": try listEndpoints(call.form)
        case "GET /v1/webhook_endpoints/{webhook_endpoint}": try retrieveEndpoint(call.id)
        case "DELETE /v1/webhook_endpoints/{webhook_endpoint}": try deleteEndpoint(call.id)

        default: preconditionFailure("in the table and not served: \(call.operation)")
        }
    }
}
