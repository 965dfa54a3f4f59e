internal import Foundation
package import Ledger

/// What is read of an event. Snapshots carry the object as it was; thin events only name it.
///
/// The amounts and states of a snapshot are never used: they may be out of date. Whatever an event leads to
/// follows from the object as Stripe has it when the event is worked on.
struct WebhookEvent: Sendable, Equatable {
    let id: String
    /// Without the `v1.` of thin events.
    let type: String
    let isThin: Bool
    let apiVersion: String?
    let isLive: Bool
    let account: String?
    let object: Object

    struct Object: Sendable, Equatable, Decodable {
        var id: String?
        /// The invoice that a credit note or a payment is of.
        var invoice: String?
        var paymentIntent: String?
        var metadata: [String: String]?
        /// How often Stripe had tried to collect an invoice.
        var attemptCount: Int?

        enum CodingKeys: String, CodingKey {
            case id, invoice, metadata
            case paymentIntent = "payment_intent"
            case attemptCount = "attempt_count"
        }

        init(id: String?) {
            self.id = id
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            id = try container.decodeIfPresent(String.self, forKey: .id)
            // Other objects have other things under these names: expanded objects, numbers, nothing.
            invoice = try? container.decode(String.self, forKey: .invoice)
            paymentIntent = try? container.decode(String.self, forKey: .paymentIntent)
            metadata = try? container.decode([String: String].self, forKey: .metadata)
            attemptCount = try? container.decode(Int.self, forKey: .attemptCount)
        }
    }
}

extension WebhookEvent {
    /// - Throws: `WebhookRefusal.unreadable`.
    init(_ payload: [UInt8]) throws(WebhookRefusal) {
        guard let content = try? JSONDecoder().decode(Content.self, from: Data(payload)) else {
            throw .unreadable
        }
        id = content.id
        isLive = content.livemode
        switch (content.object, content.data) {
        case ("event", let data?):
            isThin = false
            type = content.type
            apiVersion = content.apiVersion
            account = content.account
            object = data.object
        case ("v2.core.event", _):
            isThin = true
            type = content.type.hasPrefix("v1.") ? String(content.type.dropFirst(3)) : content.type
            apiVersion = nil
            account = content.context ?? content.account
            object = Object(id: content.relatedObject?.id)
        default: throw .unreadable
        }
        let names = [id, type, apiVersion, account, object.id].compactMap(\.self)
        guard !id.isEmpty, !type.isEmpty, names.allSatisfy(Self.isName) else { throw .unreadable }
    }

    private struct Content: Decodable {
        struct Snapshot: Decodable {
            let object: Object
        }

        struct Related: Decodable {
            let id: String
        }

        let id: String
        let object: String
        let type: String
        let livemode: Bool
        let account: String?
        let context: String?
        let apiVersion: String?
        let data: Snapshot?
        let relatedObject: Related?

        enum CodingKeys: String, CodingKey {
            case id, object, type, livemode, account, context, data
            case apiVersion = "api_version"
            case relatedObject = "related_object"
        }
    }

    /// Ids and types are short and printable: nothing else is put into the ledger or a log line.
    private static func isName(_ text: String) -> Bool {
        text.utf8.count <= 255 && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

extension ReceivedEvent {
    /// - Throws: `WebhookRefusal.unreadable` if the bytes are no event.
    package init(payload: [UInt8]) throws(WebhookRefusal) {
        let event = try WebhookEvent(payload)
        guard let text = String(validating: payload, as: UTF8.self), !payload.contains(0) else {
            throw .unreadable
        }
        self.init(
            id: event.id, type: event.type, apiVersion: event.apiVersion, isLive: event.isLive,
            account: event.account, objectID: event.object.id, payload: text)
    }
}
