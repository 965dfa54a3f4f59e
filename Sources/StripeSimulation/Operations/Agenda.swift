/// What happens by itself when the clock gets there, in the order of time.
struct Agenda: Sendable {
    enum Task: Sendable, Equatable {
        case finalize(invoice: String)
        case charge(invoice: String)
        case becomeOverdue(invoice: String)
        /// A request that was held on its way arrives.
        case deliver(held: Int)
    }

    struct Entry: Sendable {
        /// Milliseconds since 1970.
        let due: Int
        let number: Int
        let task: Task

        func isBefore(_ other: Entry) -> Bool { (due, number) < (other.due, other.number) }
    }

    /// A binary heap: no entry is before its parent.
    private var heap: [Entry] = []
    private var count = 0

    /// When something is due next.
    var next: Int? { heap.first?.due }

    mutating func add(_ task: Task, at due: Int) {
        count += 1
        heap.append(Entry(due: due, number: count, task: task))
        var index = heap.count - 1
        while index > 0, heap[index].isBefore(heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// The first entry that is due by then.
    mutating func take(until time: Int) -> Entry? {
        guard let first = heap.first, first.due <= time else { return nil }
        heap[0] = heap[heap.count - 1]
        heap.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if heap[child].isBefore(heap[least]) { least = child }
            }
            if least == index { return first }
            heap.swapAt(index, least)
            index = least
        }
    }
}

extension StripeAccount {
    func perform(_ task: Agenda.Task) {
        cause = nil
        switch task {
        case .finalize(let id):
            guard let invoice = invoices[id], invoice.status == .draft, invoice.autoAdvance,
                (invoice.automaticallyFinalizesAt ?? 0) <= time
            else { return }
            // A refusal is told by `invoice.finalization_failed`.
            _ = try? finalize(invoice)
        case .charge(let id):
            guard let invoice = invoices[id], invoice.status == .open, invoice.autoAdvance,
                invoice.collectionMethod == .chargeAutomatically,
                invoice.nextPaymentAttempt.map({ $0 <= time }) ?? !invoice.attempted
            else { return }
            _ = charge(invoice)
        case .becomeOverdue(let id):
            guard let invoice = invoices[id], invoice.status == .open,
                let due = invoice.dueDate, due <= time
            else { return }
            emit("invoice.overdue", .invoice(invoice))
        case .deliver: preconditionFailure("requests are delivered by the engine")
        }
    }
}
