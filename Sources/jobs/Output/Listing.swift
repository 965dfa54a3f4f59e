internal import ArgumentParser
internal import Exact
internal import Glibc
internal import Usage

/// How a list is printed.
enum ListFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    /// One object a line.
    case json
    case csv
}

struct ListOptions: ParsableArguments {
    @Option(name: .long, help: "How to print: table, json (one object a line) or csv.")
    var format: ListFormat = .table
}

/// How much of a long list is printed: people read its beginning, programs read all of it.
struct LimitOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "At most so many rows (default: 100 in a table, all of them in json and csv).")
    var limit: Int?

    private static let rowsOfATable = 100

    func validate() throws {
        guard limit ?? 1 > 0 else { throw ValidationError("--limit must be at least 1") }
    }

    /// `nil`: all of them.
    func rows(_ format: ListFormat) -> Int? {
        limit ?? (format == .table ? Self.rowsOfATable : nil)
    }

    /// Says on stderr how many rows there are, if a table has left out some that nobody chose to leave out.
    ///
    /// - Parameter total: asked only if the table is full.
    func reportRest(
        _ format: ListFormat, shown: Int, of total: () async throws -> Int
    ) async throws {
        guard limit == nil, let rows = rows(format), shown >= rows else { return }
        let total = try await total()
        guard total > shown else { return }
        writeText(
            "\(grouped(shown)) of \(grouped(total)); --limit shows more\n", to: STDERR_FILENO)
    }
}

/// A value of a list, which each format writes in its way.
enum Cell {
    case text(String?)
    case integer(Int64?)
    /// A decimal number of any length: a string in JSON.
    case decimal(String?)
    /// A number that was measured, with all of its digits; people read a few.
    case measured(String?)
    /// Minor units; people read major ones.
    case money(Int64, Currency)
    /// JSON, which a table leaves out.
    case json(String)

    var json: String {
        switch self {
        case .text(let text), .decimal(let text): JSONText.string(text)
        case .integer(let number): number.map(String.init) ?? "null"
        case .measured(let text): text ?? "null"
        case .money(let minor, _): String(minor)
        case .json(let text): text
        }
    }

    var table: String {
        switch self {
        case .text(let text), .decimal(let text): text ?? "-"
        case .integer(let number): number.map(String.init) ?? "-"
        case .measured(let text): text.flatMap(Double.init).map(shortened) ?? "-"
        case .money(let minor, let currency): currency.format(minor)
        case .json: ""
        }
    }

    func append(to writer: inout CSVWriter) {
        switch self {
        case .text(let text): if let text { writer.text(text) } else { writer.empty() }
        case .json(let text): writer.text(text)
        case .decimal(let text), .measured(let text):
            if let text { writer.number(text) } else { writer.empty() }
        case .integer(let number): if let number { writer.number(number) } else { writer.empty() }
        case .money(let minor, _): writer.number(minor)
        }
    }

    var isNumber: Bool {
        switch self {
        case .integer, .decimal, .money, .measured: true
        case .text, .json: false
        }
    }
}

/// Prints rows as they come. Column widths follow from the first thousand rows, so that a list of any
/// length takes no memory.
struct Listing {
    struct Column {
        /// In JSON and CSV; a table writes it in capitals.
        let name: String
        var isInTable = true

        init(_ name: String, isInTable: Bool = true) {
            self.name = name
            self.isInTable = isInTable
        }
    }

    private let format: ListFormat
    private let columns: [Column]
    private var widths: [Int]?
    private var waiting: [[Cell]] = []
    private var hasHeader = false
    /// How many were added.
    private(set) var rows = 0

    private static let rowsForWidths = 1000

    init(_ columns: [Column], format: ListFormat) {
        self.columns = columns
        self.format = format
    }

    mutating func add(_ cells: [Cell]) throws {
        precondition(cells.count == columns.count)
        rows += 1
        switch format {
        case .json:
            let members = zip(columns, cells).map { "\(JSONText.string($0.name)):\($1.json)" }
            try printLine("{\(members.joined(separator: ","))}")
        case .csv:
            try printHeader()
            var writer = CSVWriter()
            for cell in cells { cell.append(to: &writer) }
            writer.endRow()
            try write(writer.takeBytes(), to: STDOUT_FILENO)
        case .table:
            waiting.append(cells)
            if widths != nil || waiting.count >= Self.rowsForWidths { try printWaiting() }
        }
    }

    /// Prints what is left; of an empty list, the header.
    mutating func finish() throws {
        switch format {
        case .json: break
        case .csv: try printHeader()
        case .table: try printWaiting()
        }
    }

    private mutating func printHeader() throws {
        guard !hasHeader else { return }
        hasHeader = true
        try printLine(columns.map(\.name).joined(separator: ","))
    }

    private mutating func printWaiting() throws {
        let shown = columns.indices.filter { columns[$0].isInTable }
        if widths == nil {
            // What is in minor units elsewhere is written in major ones here.
            let titles = columns.map { $0.name.replacing("_minor", with: "").uppercased() }
            let widths = shown.map { index in
                waiting.reduce(titles[index].count) { max($0, $1[index].table.count) }
            }
            self.widths = widths
            let names = zip(shown, widths).map { index, width in
                let isNumber = waiting.first?[index].isNumber ?? false
                return Self.pad(titles[index], to: width, right: isNumber)
            }
            try printLine(Self.join(names))
        }
        guard let widths else { return }
        for cells in waiting {
            let texts = zip(shown, widths).map { index, width in
                Self.pad(cells[index].table, to: width, right: cells[index].isNumber)
            }
            try printLine(Self.join(texts))
        }
        waiting = []
    }

    private static func pad(_ text: String, to width: Int, right: Bool) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return right ? blanks + text : text + blanks
    }

    private static func join(_ texts: [String]) -> String {
        var line = texts.joined(separator: "  ")
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}
