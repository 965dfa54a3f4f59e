internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import StripeSimulation

/// What belongs to one request: the connection too, which faults break.
struct SimulatorContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// Brings requests to the simulator, and does to connections what it says.
struct SimulatorResponder: HTTPResponder {
    let simulator: StripeSimulator
    /// Two hundred and fifty lines with the longest descriptions fit.
    static let maximumBodyBytes = 8 << 20

    func respond(to request: Request, context: SimulatorContext) async throws -> Response {
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: Self.maximumBodyBytes)
        } catch is NIOTooManyBytesError {
            return Response(status: .contentTooLarge)
        }
        let outcome = simulator.respond(
            to: SimulatedRequest(request, body: Array(body.readableBytesView)))
        if outcome.delayMilliseconds > 0 {
            try await Task.sleep(for: .milliseconds(outcome.delayMilliseconds))
        }
        switch outcome.transport {
        case .whole: return Response(outcome.response)
        case .truncated: return Response(truncating: outcome.response)
        case .closed:
            try await context.channel.close()
            return Response(status: .ok)
        case .reset:
            // Closing with a linger of zero sends RST.
            if let socket = context.channel as? any SocketOptionProvider {
                try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            }
            try await context.channel.close()
            return Response(status: .ok)
        }
    }
}

extension SimulatedRequest {
    fileprivate init(_ request: Request, body: [UInt8]) {
        func header(_ name: String) -> String? {
            HTTPField.Name(name).flatMap { request.headers[$0] }
        }
        self.init(
            method: request.method.rawValue, path: request.uri.path,
            query: request.uri.query ?? "", body: body,
            authorization: request.headers[.authorization],
            idempotencyKey: header("Idempotency-Key"), version: header("Stripe-Version"))
    }
}

extension Response {
    fileprivate init(_ response: SimulatedResponse) {
        self.init(
            status: .init(code: response.status), headers: response.fields,
            body: .init(byteBuffer: ByteBuffer(bytes: response.body)))
    }

    /// Announces the whole body, sends half of it, and breaks off.
    fileprivate init(truncating response: SimulatedResponse) {
        let half = ByteBuffer(bytes: response.body.prefix(response.body.count / 2))
        self.init(
            status: .init(code: response.status), headers: response.fields,
            body: .init(contentLength: response.body.count) { writer in
                try await writer.write(half)
                throw CancellationError()
            })
    }
}

extension SimulatedResponse {
    fileprivate var fields: HTTPFields {
        var fields = HTTPFields()
        for header in headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            fields.append(HTTPField(name: name, value: header.value))
        }
        return fields
    }
}
