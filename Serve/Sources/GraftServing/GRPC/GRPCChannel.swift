import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

/// Connections of HTTP/2, with NIO's management of them. Hummingbird's own closes those of clients that ping while they send
/// (`too_many_pings`), as gRPC's do to measure the line.
struct GRPCChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let streams: NIOHTTP2Handler.AsyncStreamMultiplexer<Stream.Value>
        let channel: any Channel
    }

    /// One call.
    struct Stream: HTTPChannelHandler {
        typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

        let responder: Responder
        let limits: RequestGuard.Limits

        func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(HTTP2FramePayloadToHTTPServerCodec())
                try pipeline.addHandler(RequestGuard(limits))
                return try Value(wrappingChannelSynchronously: channel)
            }
        }

        func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
    }

    let stream: Stream

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let streams = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
                mode: .server,
                connectionManagerConfiguration: .init(
                    maxIdleTime: .minutes(10), maxAge: nil, maxGraceTime: .seconds(30),
                    keepalive: .init(pingInterval: .minutes(5), ackTimeout: .seconds(20)))
            ) { channel in stream.setup(channel: channel, logger: logger) }
            return Value(streams: streams, channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            try await withThrowingDiscardingTaskGroup { group in
                for try await channel in value.streams.inbound {
                    group.addTask { await stream.handle(value: channel, logger: logger) }
                }
            }
        } catch {
            logger.debug("a connection ended", metadata: ["error": .string("\(error)")])
        }
    }
}
