internal import CZip
import GraftModel

/// Writes a zip archive from members in memory and in files.
package enum ZipWriter {
    /// One member to be.
    package struct Member: Sendable {
        enum Content: Sendable {
            case bytes([UInt8])
            case file(String)
        }

        let name: String
        let content: Content
        let isPacked: Bool

        /// A member from memory, packed (deflate) or as it is.
        package init(_ name: String, bytes: [UInt8], packed: Bool = false) {
            (self.name, content, isPacked) = (name, .bytes(bytes), packed)
        }

        /// A member from a file, which is read piece by piece when the archive is written.
        package init(_ name: String, file path: String, packed: Bool = false) {
            (self.name, content, isPacked) = (name, .file(path), packed)
        }
    }

    /// Writes an archive of these members, in this order, to a path where nothing is yet.
    ///
    /// libzip writes to a temporary file beside it and renames that, or removes it where the disk refuses.
    ///
    /// - Throws: `.file` where the path exists or the disk refuses.
    package static func write(_ members: [Member], to path: String) throws(GraftError) {
        var code: Int32 = 0
        guard let archive = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code) else {
            throw GraftError(.file, "cannot create \(path): \(ZipMessage.text(of: code).lowercasedFirst)")
        }
        var isClosed = false
        defer { if !isClosed { zip_discard(archive) } }
        // The bytes must stay where they are until `zip_close`, which reads them.
        let buffers = members.map { UnsafeMutableRawBufferPointer.copy(of: $0.content) }
        defer { for buffer in buffers { buffer?.deallocate() } }
        for (member, buffer) in zip(members, buffers) { try add(member, buffer, to: archive, path) }
        guard zip_close(archive) == 0 else { throw failure(archive, path) }
        isClosed = true
    }

    private static func add(
        _ member: Member, _ buffer: UnsafeMutableRawBufferPointer?, to archive: OpaquePointer, _ path: String
    ) throws(GraftError) {
        let source =
            switch member.content {
            case .bytes: zip_source_buffer(archive, buffer?.baseAddress, UInt64(buffer?.count ?? 0), 0)
            case .file(let file): zip_source_file(archive, file, 0, -1)
            }
        guard let source else { throw failure(archive, path) }
        let index = zip_file_add(archive, member.name, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
        guard index >= 0 else {
            zip_source_free(source)
            throw failure(archive, path)
        }
        let method = member.isPacked ? ZIP_CM_DEFLATE : ZIP_CM_STORE
        guard zip_set_file_compression(archive, zip_uint64_t(index), method, 0) == 0 else {
            throw failure(archive, path)
        }
    }

    private static func failure(_ archive: OpaquePointer, _ path: String) -> GraftError {
        GraftError(.file, "cannot write \(path): \(String(cString: zip_strerror(archive)).lowercasedFirst)")
    }
}

extension UnsafeMutableRawBufferPointer {
    /// A copy of a member's bytes for libzip; `nil` where they are in a file.
    fileprivate static func copy(of content: ZipWriter.Member.Content) -> UnsafeMutableRawBufferPointer? {
        guard case .bytes(let bytes) = content else { return nil }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
        buffer.copyBytes(from: bytes)
        return UnsafeMutableRawBufferPointer(rebasing: buffer[0..<bytes.count])
    }
}
