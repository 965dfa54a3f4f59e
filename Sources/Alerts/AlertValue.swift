internal import Exact
internal import Foundation

/// A value of an alert's body, and how people write it.
enum AlertValue: Decodable {
    case null
    case flag(Bool)
    case integer(Int64)
    case decimal(Decimal)
    case text(String)
    case list([AlertValue])
    case group([String: AlertValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Decimal.self) {
            self = .decimal(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([AlertValue].self) {
            self = .list(value)
        } else {
            self = .group(try container.decode([String: AlertValue].self))
        }
    }

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    /// `late: 3, stray draft: 1`.
    var words: String {
        switch self {
        case .null: "-"
        case .flag(let value): value ? "yes" : "no"
        case .integer(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .text(let text): text
        case .list(let values): values.map(\.words).joined(separator: ", ")
        case .group(let values):
            values.sorted { $0.key < $1.key }
                .map { "\($0.key.replacing("_", with: " ")): \($0.value.words)" }
                .joined(separator: ", ")
        }
    }

    /// Minor units in major ones: of a currency, or a group of amounts by currency.
    func money(in currency: Currency?) -> String? {
        switch self {
        case .integer(let minor):
            currency.map { "\($0.format(minor)) \($0.code.uppercased())" }
        case .group(let amounts):
            amounts.sorted { $0.key < $1.key }
                .map { code, amount in
                    amount.money(in: Currency(code)) ?? "\(amount.words) minor units of \(code)"
                }
                .joined(separator: ", ")
        default: nil
        }
    }
}
