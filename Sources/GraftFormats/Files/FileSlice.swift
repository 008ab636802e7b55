import Foundation
import GraftGraph

/// A part of an open file, read at places counted from its beginning: a file of its own inside another; or bytes in memory
/// that are read in the same way.
///
/// Files are read with `pread` and not mapped, so that a file that somebody shortens meanwhile gives an error and no signal.
struct FileSlice: Sendable {
    private enum Source: Sendable {
        case file(File, offset: UInt64)
        case bytes([UInt8])
    }

    private let source: Source
    /// The number of bytes in the slice.
    let byteCount: UInt64
    /// What to call it in messages.
    let name: String

    /// A whole file.
    init(_ file: File) throws(GraftError) {
        try self.init(file, offset: 0, byteCount: UInt64(file.byteCount), name: file.path)
    }

    /// A part of a file.
    ///
    /// - Throws: `.format` where the file is shorter.
    init(_ file: File, offset: UInt64, byteCount: UInt64, name: String) throws(GraftError) {
        let whole = UInt64(file.byteCount)
        guard offset <= whole, byteCount <= whole - offset else {
            throw GraftError(
                .format, "\(name) is cut short: \(byteCount) bytes should begin at byte \(offset) of \(whole)")
        }
        (source, self.byteCount, self.name) = (.file(file, offset: offset), byteCount, name)
    }

    /// Bytes in memory.
    init(_ bytes: [UInt8], name: String) {
        (source, byteCount, self.name) = (.bytes(bytes), UInt64(bytes.count), name)
    }

    /// Up to this many bytes from the beginning.
    func head(_ count: Int) throws(GraftError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(min(UInt64(count), byteCount)))
        try bytes.withUnsafeMutableBufferPointer { (buffer) throws(GraftError) in
            try read(at: 0, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes
    }

    /// Fills memory from a place that the caller knows to be inside.
    ///
    /// - Throws: `.file` where the file ends before, or cannot be read.
    func read(at place: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(GraftError) {
        switch source {
        case .bytes(let bytes):
            bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[Int(place)...].prefix(buffer.count))) }
        case .file(let file, let offset): try read(file, at: offset + place, into: buffer)
        }
    }

    private func read(
        _ file: File, at place: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(GraftError) {
        var filled = 0
        while filled < buffer.count {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let start = off_t(clamping: place + UInt64(filled))
            let count = pread(file.number, piece.baseAddress, min(piece.count, 1 << 30), start)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure.error("cannot read \(name)") }
            guard count > 0 else { throw GraftError(.file, "\(name) became shorter while it was read") }
            filled += count
        }
    }
}
