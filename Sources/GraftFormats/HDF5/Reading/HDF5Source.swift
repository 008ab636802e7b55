import GraftGraph

/// The bytes of an HDF5 file, read where asked and only inside what the file says it is; no byte of it in two structures.
final class HDF5Source: Sendable {
    let path: String
    let byteCount: UInt64
    /// What all that is read from the file may cost together.
    let budget: FileBudget
    private let file: FileSlice

    /// The largest piece of structure (an object's header, a list of names) that is read; Keras's own stay below 1 MB.
    static let structureLimit: UInt64 = 64 << 20

    init(_ file: FileSlice, byteCount: UInt64) {
        (self.file, path, self.byteCount) = (file, file.name, byteCount)
        budget = FileBudget(path: file.name, byteCount: byteCount)
    }

    /// A piece of structure, which belongs to no other.
    ///
    /// - Throws: `.format` where it lies outside the file, is larger than any structure or overlaps with another one.
    func structure(at address: UInt64, count: UInt64) throws(GraftError) -> HDF5Bytes {
        try check(address, count)
        try budget.claim(address, count, for: "a structure of \(count) bytes")
        return try peek(at: address, count: count)
    }

    /// The first bytes of a structure, which say how long it is. Whoever asks claims it then, or gives up.
    func peek(at address: UInt64, count: UInt64) throws(GraftError) -> HDF5Bytes {
        try check(address, count)
        guard count <= Self.structureLimit else { throw damaged("a structure of \(count) bytes", at: address) }
        var bytes = [UInt8](repeating: 0, count: Int(count))
        try bytes.withUnsafeMutableBufferPointer { (buffer) throws(GraftError) in
            try file.read(at: address, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return HDF5Bytes(bytes[...], place: "\(path) is damaged near byte \(address)")
    }

    /// Numbers, straight into memory. An array without any has no place in the file.
    func read(at address: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(GraftError) {
        if buffer.isEmpty { return }
        try check(address, UInt64(buffer.count))
        try file.read(at: address, into: buffer)
    }

    /// Whether so many bytes from an address lie inside the file.
    func check(_ address: UInt64, _ count: UInt64) throws(GraftError) {
        guard count <= byteCount, address <= byteCount - count else {
            throw damaged("something of \(count) bytes that should be inside the file", at: address)
        }
    }

    func damaged(_ what: String, at address: UInt64) -> GraftError {
        let place = address == .max ? "nowhere" : "at byte \(address)"
        return GraftError(.format, "\(path) is damaged: it places \(what) \(place)")
    }
}

/// Bytes with a position; reading past their end is an error, never a trap. Numbers are little-endian.
struct HDF5Bytes {
    private var rest: ArraySlice<UInt8>
    /// For messages: the file, and about where this is.
    let place: String

    init(_ bytes: ArraySlice<UInt8>, place: String) { (rest, self.place) = (bytes, place) }

    var count: Int { rest.count }

    mutating func take(_ count: Int) throws(GraftError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= rest.count else { throw GraftError(.format, "\(place): a structure is cut short") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// The next bytes as bytes of their own.
    mutating func piece(_ count: Int) throws(GraftError) -> HDF5Bytes { HDF5Bytes(try take(count), place: place) }

    mutating func skip(_ count: Int) throws(GraftError) { _ = try take(count) }

    mutating func byte() throws(GraftError) -> UInt8 { UInt8(truncatingIfNeeded: try number(1)) }

    /// A number of 1 to 8 bytes.
    mutating func number(_ byteCount: Int) throws(GraftError) -> UInt64 {
        try take(byteCount).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A number of bytes or elements, which must be small enough to count.
    mutating func size(_ byteCount: Int) throws(GraftError) -> Int {
        guard let size = Int(exactly: try number(byteCount)) else { throw unexpected("a size") }
        return size
    }

    /// An address in the file; all bits set mean none.
    mutating func address() throws(GraftError) -> UInt64 { try number(8) }

    /// Checks the letters that a structure begins with.
    mutating func expect(_ signature: String) throws(GraftError) {
        guard try take(signature.utf8.count).elementsEqual(signature.utf8) else {
            throw GraftError(.format, "\(place): \"\(signature)\" should stand there")
        }
    }

    func unexpected(_ what: String) -> GraftError { GraftError(.format, "\(place): \(what) makes no sense") }
}
