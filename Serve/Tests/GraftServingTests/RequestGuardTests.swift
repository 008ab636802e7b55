import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import GraftServing

@Suite struct RequestGuardTests {
    private let channel: EmbeddedChannel
    private static let limits = RequestGuard.Limits(
        receiving: .seconds(30), sending: .seconds(20), lingering: .seconds(2), lingeringBytes: 100)

    init() throws {
        channel = EmbeddedChannel(handler: RequestGuard(Self.limits))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).wait()
    }

    private func receive(_ part: HTTPRequestPart) throws { try channel.writeInbound(part) }

    private func begin() throws {
        try receive(.head(HTTPRequest(method: .post, scheme: "http", authority: "a", path: "/")))
    }

    private func answer(_ type: String = "application/json") throws {
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok, headerFields: [.contentType: type])))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
    }

    private func advance(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

    @Test func aRequestThatNeverEndsIsCutOff() throws {
        try begin()
        advance(29)
        #expect(channel.isActive)
        try receive(.body(ByteBuffer(string: "x")))
        advance(2)
        #expect(!channel.isActive)
    }

    @Test func aRequestThatIsWholeIsNotCutOff() throws {
        try begin()
        try receive(.end(nil))
        advance(300)
        #expect(channel.isActive)
        try answer()
        advance(300)
        #expect(channel.isActive)
    }

    @Test func whoIsRefusedMaySendALittleMore() throws {
        try begin()
        try answer()
        try receive(.body(ByteBuffer(bytes: [UInt8](repeating: 0, count: 100))))
        #expect(channel.isActive)
        try? receive(.body(ByteBuffer(string: "x")))
        #expect(!channel.isActive)
    }

    @Test func whoIsRefusedMaySendForALittleWhile() throws {
        try begin()
        try answer()
        advance(3)
        #expect(!channel.isActive)
    }

    @Test func aClientThatReadsNothingIsCutOffUnlessItListens() throws {
        try begin()
        try receive(.end(nil))
        try channel.writeOutbound(
            HTTPResponsePart.head(HTTPResponse(status: .ok, headerFields: [.contentType: "text/event-stream"])))
        advance(300)
        #expect(channel.isActive)
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        advance(21)
        #expect(!channel.isActive)
    }
}
