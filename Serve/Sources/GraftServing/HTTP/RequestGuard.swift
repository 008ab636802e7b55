import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Cuts off clients that send or read slowly, and what they still send after they were refused; one for each connection.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    struct Limits: Sendable {
        /// How long a request may take to arrive.
        var receiving = TimeAmount.seconds(30)
        /// How long a response may take to leave; one that goes on and on (events) is left out.
        var sending = TimeAmount.seconds(30)
        /// How long and how much a refused request may still send, so that the client reads why.
        var lingering = TimeAmount.seconds(2)
        var lingeringBytes = 1 << 20
    }

    private let limits: Limits
    private var isReceiving = false
    private var isAnswered = false
    private var drainedBytes = 0
    private var receiveDeadline: Scheduled<Void>?
    private var sendDeadline: Scheduled<Void>?

    init(_ limits: Limits) { self.limits = limits }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            (isReceiving, isAnswered, drainedBytes) = (true, false, 0)
            receiveDeadline?.cancel()
            receiveDeadline = close(context, in: limits.receiving)
        case .body(let buffer):
            if isAnswered {
                drainedBytes += buffer.readableBytes
                guard drainedBytes <= limits.lingeringBytes else { return context.close(promise: nil) }
            }
        case .end:
            isReceiving = false
            receiveDeadline?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            let isEndless = head.headerFields[.contentType]?.hasPrefix("text/event-stream") == true
            sendDeadline?.cancel()
            if !isEndless, head.status.kind != .informational { sendDeadline = close(context, in: limits.sending) }
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            if isReceiving {
                isAnswered = true
                receiveDeadline?.cancel()
                receiveDeadline = close(context, in: limits.lingering)
            }
            let sent = promise ?? context.eventLoop.makePromise(of: Void.self)
            let deadline = sendDeadline
            sent.futureResult.whenComplete { _ in deadline?.cancel() }
            context.write(data, promise: sent)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        receiveDeadline?.cancel()
        sendDeadline?.cancel()
        context.fireChannelInactive()
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }
}
