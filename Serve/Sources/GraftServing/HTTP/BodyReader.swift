import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Reads bodies, each and all together bounded: what does not fit is refused before it is read.
final class BodyReader: Sendable {
    /// The most bytes of one body, packed and unpacked.
    let limit: Int
    /// The most bytes of all bodies that are held at once.
    let totalLimit: Int
    private let held = Mutex(0)

    init(limit: Int, totalLimit: Int) { (self.limit, self.totalLimit) = (limit, totalLimit) }

    /// The bytes that are held now.
    var heldBytes: Int { held.withLock(\.self) }

    /// Reads a body, unpacks it where it is gzip or deflate, and does something with it; its memory counts until that is done.
    ///
    /// - Throws: 413 for a body that is too large, 415 for another encoding, 429 where others take all room.
    func withBody<Result>(of call: Call, _ work: (ByteBuffer) async throws -> Result) async throws -> Result {
        let declared = try Self.declaredLength(of: call)
        if let declared, declared > limit { throw Refusal.tooLarge(declared, limit: limit) }
        var taken = 0
        defer { held.withLock { $0 -= taken } }
        // What is not declared is counted as it comes.
        if let declared { try take(declared, &taken) }
        var body = ByteBuffer()
        for try await part in call.request.body {
            guard body.readableBytes + part.readableBytes <= limit else { throw Refusal.tooLarge(nil, limit: limit) }
            let missing = body.readableBytes + part.readableBytes - taken
            if missing > 0 { try take(missing, &taken) }
            body.writeImmutableBuffer(part)
        }
        guard let packing = try Packing(of: call.header(.contentEncoding)) else { return try await work(body) }
        try take(limit, &taken)
        let unpacked = try packing.unpack(body.readableBytesView, limit: limit)
        return try await work(ByteBuffer(bytes: unpacked))
    }

    private static func declaredLength(of call: Call) throws(Refusal) -> Int? {
        guard let text = call.header(.contentLength) else { return nil }
        guard let length = Int(text), length >= 0 else {
            throw .badRequest("Content-Length: got '\(text)', needs a number of bytes")
        }
        return length
    }

    private func take(_ count: Int, _ taken: inout Int) throws(Refusal) {
        let fits = held.withLock { held in
            guard held + count <= totalLimit else { return false }
            held += count
            return true
        }
        guard fits else { throw .busy("others' requests take all memory that there is for them; try again soon") }
        taken += count
    }
}
