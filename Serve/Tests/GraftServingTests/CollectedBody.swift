import HTTPTypes
import Hummingbird
import NIOCore

/// Collects what a response writes.
struct CollectedBody: ResponseBodyWriter {
    final actor Bytes {
        var value: [UInt8] = []
        func add(_ bytes: [UInt8]) { value += bytes }
    }

    let bytes = Bytes()

    mutating func write(_ buffer: ByteBuffer) async throws { await bytes.add(Array(buffer.readableBytesView)) }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
