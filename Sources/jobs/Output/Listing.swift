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

    private static let rowsForWidths = 1000

    init(_ columns: [Column], format: ListFormat) {
        self.columns = columns
        self.format = format
    }

    mutating func add(_ cells: [Cell]) throws {
        precondition(cells.count == columns.count)
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
