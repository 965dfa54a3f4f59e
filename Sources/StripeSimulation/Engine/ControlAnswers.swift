extension Engine {
    func writeClock(to json: inout JSONWriter) {
        json.object { json in
            json.field("now", account.time)
            json.field("now_ms", account.now)
            json.field("ahead_ms", clockOffset)
        }
    }

    func writeHeld(to json: inout JSONWriter) {
        json.object { json in
            json.array("held") { json in
                for late in held.values.sorted(by: { $0.number < $1.number }) {
                    json.object { json in
                        json.field("number", late.number)
                        json.field("method", late.request.method)
                        json.field("path", late.request.path)
                        json.field("idempotency_key", late.request.idempotencyKey)
                        json.field("due_ms", late.due)
                    }
                }
            }
        }
    }

    func writeFaults(to json: inout JSONWriter) {
        json.object { json in
            json.field("rules", faults.rules.count)
            json.field("chance", faults.chance != nil)
            json.object("met") { json in
                for kind in Fault.Kind.allCases {
                    guard let count = faults.met[kind] else { continue }
                    json.key(named: kind.rawValue)
                    json.integer(count)
                }
            }
        }
    }

    func writeWebhooks(to json: inout JSONWriter) {
        json.object { json in
            json.field("on", webhooks.isOn)
            json.field("duplicates_percent", webhooks.duplicatesPercent)
            json.field("reorder", webhooks.isReordering)
            json.field("delay_ms", webhooks.delayMilliseconds)
            json.field("waiting", account.deliveries.waiting.count)
            json.array("endpoints") { json in
                for endpoint in account.endpoints.all where !endpoint.isDeleted {
                    json.object { json in
                        json.field("id", endpoint.id)
                        json.field("url", endpoint.url)
                    }
                }
            }
        }
    }

    /// Everything, with the lines of every invoice.
    func writeState(to json: inout JSONWriter) {
        json.object { json in
            json.field("account", account.id)
            json.field("livemode", account.livemode)
            json.field("now", account.time)
            json.field("idempotency_keys", idempotency.count)
            json.array("customers") { json in
                for customer in account.customers.all { customer.write(to: &json) }
            }
            json.array("invoices") { json in
                for invoice in account.invoices.all {
                    json.object { json in
                        json.key("invoice")
                        invoice.write(to: &json)
                        json.array("lines") { json in
                            for line in invoice.lines { line.write(to: &json, invoice: invoice.id) }
                        }
                    }
                }
            }
            json.array("credit_notes") { json in
                for note in account.creditNotes.all { note.write(to: &json) }
            }
            json.array("events") { json in
                for event in account.events.all {
                    json.object { json in
                        json.field("id", event.id)
                        json.field("type", event.type)
                        json.field("created", event.created)
                    }
                }
            }
        }
    }
}
