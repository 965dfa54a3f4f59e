/// What was really done, counted as it was done, so that a test can ask.
package enum Effect: String, Sendable, CaseIterable {
    case customerCreated = "customers_created"
    case invoiceCreated = "invoices_created"
    case invoiceDeleted = "invoices_deleted"
    case itemCreated = "pending_items_created"
    case lineAdded = "lines_added"
    case lineRemoved = "lines_removed"
    case finalized
    case finalizationFailed = "finalizations_failed"
    case sent
    case chargeAttempted = "charges_attempted"
    case charged = "charges"
    case paid
    case paidOutOfBand = "paid_out_of_band"
    case voided
    case markedUncollectible = "marked_uncollectible"
    case creditNoteCreated = "credit_notes_created"
    case creditNoteVoided = "credit_notes_voided"
}

/// How often each effect happened: in all, per customer, and per invoice.
package struct EffectCounts: Sendable {
    package struct Counts: Sendable, Equatable {
        private var numbers: [Effect: Int] = [:]

        package init() {}

        package subscript(effect: Effect) -> Int { numbers[effect] ?? 0 }

        fileprivate mutating func add(_ effect: Effect) { numbers[effect, default: 0] += 1 }

        func write(to json: inout JSONWriter) {
            for effect in Effect.allCases where self[effect] > 0 {
                json.key(named: effect.rawValue)
                json.integer(self[effect])
            }
        }
    }

    package private(set) var total = Counts()
    package private(set) var byCustomer: [String: Counts] = [:]
    package private(set) var byInvoice: [String: Counts] = [:]
    /// Whose an invoice is, deleted ones too.
    package private(set) var customerOfInvoice: [String: String] = [:]

    mutating func count(_ effect: Effect, customer: String, invoice: String? = nil) {
        total.add(effect)
        byCustomer[customer, default: Counts()].add(effect)
        guard let invoice else { return }
        byInvoice[invoice, default: Counts()].add(effect)
        if effect == .invoiceCreated { customerOfInvoice[invoice] = customer }
    }

    /// - Parameter customer: only this one, if one is named.
    func write(to json: inout JSONWriter, customer: String?) {
        json.object { json in
            json.object("total") { total.write(to: &$0) }
            json.object("customers") { json in
                for (id, counts) in byCustomer.sorted(by: { $0.key < $1.key })
                where customer == nil || id == customer {
                    json.key(named: id)
                    json.object { counts.write(to: &$0) }
                }
            }
            json.object("invoices") { json in
                for (id, counts) in byInvoice.sorted(by: { $0.key < $1.key })
                where customer == nil || customerOfInvoice[id] == customer {
                    json.key(named: id)
                    json.object { json in
                        json.field("customer", customerOfInvoice[id])
                        counts.write(to: &json)
                    }
                }
            }
        }
    }
}
