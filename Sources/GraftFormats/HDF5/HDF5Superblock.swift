import Foundation
import GraftGraph

/// The first bytes of an HDF5 file, read before the C library sees it, so that a download cut short, a web page saved
/// under the wrong name and a file made of several are told apart in words.
///
/// Source: "HDF5 File Format Specification Version 3.0", section II.A.
struct HDF5Superblock: Equatable {
    /// Where the file says that it ends.
    let endOfFile: UInt64

    static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Reads and checks the superblock of a file.
    ///
    /// - Throws: `.file` where the file is missing or unreadable; `.format` where it is not HDF5, is of a layout that
    ///   no Keras file has (a block of user data in front, several files), or is shorter than it says.
    init(checking path: String) throws(GraftError) {
        let head = try FileHead(path: path, count: 128)
        guard head.byteCount > 0 else { throw GraftError(.format, "\(path) is empty (0 bytes)") }
        guard head.bytes.starts(with: Self.signature) else {
            throw GraftError(.format, "\(path) is not an HDF5 file: it begins with \(head.preview)")
        }
        guard let fields = Self.fields(head.bytes) else {
            throw GraftError(.format, "\(path) is damaged, or of a newer layout: its HDF5 superblock cannot be read")
        }
        guard fields.base == 0, fields.driverInformation == nil || fields.driverInformation == .max else {
            throw GraftError(
                .format, "\(path) has user data in front or is one of several files; Graft reads plain HDF5 files only")
        }
        guard fields.end <= head.byteCount else {
            throw GraftError(
                .format,
                "\(path) is cut short: it should have \(fields.end) bytes and has \(head.byteCount); fetch it again")
        }
        endOfFile = fields.end
    }

    private static func fields(_ bytes: [UInt8]) -> (base: UInt64, end: UInt64, driverInformation: UInt64?)? {
        guard bytes.count >= 16 else { return nil }
        func address(_ offset: Int) -> UInt64? {
            guard offset + 8 <= bytes.count else { return nil }
            return bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch bytes[8] {
        case 0, 1:
            guard bytes[13] == 8, bytes[14] == 8 else { return nil }
            let start = bytes[8] == 0 ? 24 : 28
            guard let base = address(start), let end = address(start + 16), let driver = address(start + 24)
            else { return nil }
            return (base, end, driver)
        case 2, 3:
            guard bytes[9] == 8, bytes[10] == 8, let base = address(12), let end = address(28) else { return nil }
            return (base, end, nil)
        default:
            return nil
        }
    }
}

/// The size and the first bytes of a file.
struct FileHead {
    let byteCount: UInt64
    let bytes: [UInt8]

    /// - Throws: `.file` where the path is missing, a folder, or unreadable.
    init(path: String, count: Int) throws(GraftError) {
        let descriptor = try FileDescriptor(reading: path)
        byteCount = try descriptor.byteCount()
        bytes = try descriptor.read(upTo: count)
    }

    /// The first bytes as text where they are text, else as hexadecimal: for messages.
    var preview: String {
        let first = bytes.prefix(24)
        if first.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x0D }) {
            let text = String(decoding: first, as: UTF8.self)
            return "\"\(text.replacing("\n", with: " ").replacing("\r", with: ""))\""
        }
        return first.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
