/// All usage that was sealed up to one batch: the same for ever, whatever arrives later.
package struct SealedUsage: Sendable, Equatable {
    /// Which set of tables in ClickHouse holds it; a rebuild makes a new one.
    package let generation: Int
    /// The last batch that counts; 0: none was sealed yet.
    package let cutoff: Int64
    /// Batches up to the cut-off that were abandoned: their rows do not count.
    package let hidden: [Int64]
    /// Under which key the rollups of a metric (by its `key`) are stored.
    package let rollupKeys: [String: String]

    package init(generation: Int, cutoff: Int64, hidden: [Int64], rollupKeys: [String: String]) {
        self.generation = generation
        self.cutoff = cutoff
        self.hidden = hidden
        self.rollupKeys = rollupKeys
    }
}
