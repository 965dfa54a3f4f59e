internal import ClickHouse
internal import Ledger

extension UsageSealer {
    /// What a rebuild came to.
    package struct Rebuild: Sendable {
        package let summary: Summary
        /// How many customers' days differ from the usage that was active, by metric.
        package let differing: Int64
        /// The first few of them, in words.
        package let examples: String
        /// Whether the rebuilt usage is read from now on.
        package let isActive: Bool
    }

    /// Seals the whole log anew into tables of its own, compares, and lets them replace the active ones if
    /// nothing differs.
    ///
    /// - Parameter acceptsDifferences: replace them all the same.
    package func rebuild(
        acceptsDifferences: Bool, progress: @escaping @Sendable (Progress) -> Void
    ) async throws -> Rebuild {
        try await Lease.with(BatchStore.leaseName, holder: holder, pool: pool) { lease in
            try await SourceCheck(clickHouse: clickHouse, source: source).check()
            var before = try await store.sealed()
            if acceptsDifferences {
                try await UsageTables(generation: before.generation).create(clickHouse)
            } else {
                // What is there is made current first: else everything new would differ.
                before = try await seal(
                    generation: before.generation, lease, comparesContents: true, progress
                ).usage
            }
            let untold = try await store.unreported(in: before).map(\.batch)
            let (generation, retired) = try await store.newGeneration(lease)
            // Also of this number: a ledger that was restored from a backup gives it out again.
            for leftover in retired + [generation] {
                try await UsageTables(generation: leftover).drop(clickHouse)
            }
            var summary = try await seal(
                generation: generation, as: before, lease, comparesContents: false, progress)
            let (differing, examples) = try await compare(before, summary.usage)
            let isActive = differing == 0 || acceptsDifferences
            if isActive { try await store.activate(generation: generation, lease) }
            // What was released stays so, and no event is late for being sealed anew.
            summary.waiting = try await store.waiting(of: summary.batches)
            summary.late = try await late(in: untold)
            return Rebuild(
                summary: summary, differing: differing, examples: examples, isActive: isActive)
        }
    }

    /// Seals what the log's own order would decide otherwise than it was decided: of two rows of an id, the
    /// one that was sealed first may come later there. What a batch has sealed holds for those after it.
    ///
    /// - Parameters:
    ///   - old: the usage that was active.
    ///   - sealed: the usage that is being built; nothing is sealed in it yet.
    /// - Returns: `nil` if there is no such row.
    func sealSettled(
        in old: SealedUsage, anew sealed: SealedUsage, _ lease: Lease
    ) async throws -> (batch: Int64, figures: BatchFigures)? {
        let question = ClickHouseQuery(
            SQL.settledRange.replacing("/* settled */", with: SQL.settled),
            parameters: old.parameters)
        guard let found = try await clickHouse.rows(question).first else {
            preconditionFailure("an aggregate answers one row")
        }
        guard try found.int64("rows") > 0 else { return nil }
        let range = BatchRange(
            firstMinute: try found.int64("first_minute"), endMinute: try found.int64("end_minute"),
            rows: try found.int64("rows"))
        let batch = try await store.open(generation: sealed.generation, lease)
        let table = "sealing_\(batch)_settled"
        let database = clickHouse.configuration.database
        guard let settled = SourceTable(table, defaultDatabase: database) else {
            preconditionFailure("\(table) is the name of a table")
        }
        let parameters = old.parameters.merging(source.parameters) { $1 }
            .merging(range.parameters) { $1 }
            .merging(["settled": .string(table)]) { $1 }
        var copy = ClickHouseQuery(
            SQL.settledLog.replacing("/* settled */", with: SQL.settled), parameters: parameters)
        copy.mayTakeLong = true
        let figures = try await seal(
            batch, round: batch, range, of: settled, sealed, lease
        ) { [copy] in try await clickHouse.execute(copy) }
        return (batch, figures)
    }

    private func compare(
        _ old: SealedUsage, _ new: SealedUsage
    ) async throws -> (differing: Int64, examples: String) {
        var parameters = new.parameters
        parameters["old_daily"] = old.parameters["daily"]
        parameters["old_cutoff"] = .integer(old.cutoff)
        parameters["old_hidden"] = .integers(old.hidden)
        parameters["old_keys"] = .strings(["events"] + old.rollupKeys.values)
        parameters["keys"] = .strings(["events"] + new.rollupKeys.values)
        parameters["maxima"] = .strings(metrics.filter { $0.aggregation == .max }.map(\.key))
        let query = ClickHouseQuery(SQL.rebuildDifferences, parameters: parameters)
        guard let row = try await clickHouse.rows(query).first else {
            preconditionFailure("an aggregate answers one row")
        }
        return (try row.int64("differing"), try row.string("examples"))
    }
}
