internal import Hummingbird
internal import NIOCore
internal import NIOHTTPTypes

/// Closes a connection on which no whole request comes within a time, however busily it trickles.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let time: TimeAmount
    private var end: Scheduled<Void>?
    /// Whole requests that came, less answers that went out. Below zero one was answered before it was whole,
    /// above zero it is our turn.
    private var unanswered = 0

    init(_ time: TimeAmount) {
        self.time = time
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .end = unwrapInboundIn(data) { turn(context, by: 1) }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { turn(context, by: -1) }
        context.write(data, promise: promise)
    }

    /// The next request has as long, and so has the rest of one that was answered early.
    private func turn(_ context: ChannelHandlerContext, by count: Int) {
        unanswered += count
        if unanswered > 0 { end?.cancel() } else { start(context) }
    }

    private func start(_ context: ChannelHandlerContext) {
        end?.cancel()
        end = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            context.close(promise: nil)
        }
    }
}
