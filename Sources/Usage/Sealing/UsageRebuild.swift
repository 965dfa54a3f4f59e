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
            let (generation, retired) = try await store.newGeneration(lease)
            for leftover in retired {
                try await UsageTables(generation: leftover).drop(clickHouse)
            }
            let summary = try await seal(
                generation: generation, lease, comparesContents: false, progress)
            let (differing, examples) = try await compare(before, summary.usage)
            let isActive = differing == 0 || acceptsDifferences
            if isActive { try await store.activate(generation: generation, lease) }
            return Rebuild(
                summary: summary, differing: differing, examples: examples, isActive: isActive)
        }
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
