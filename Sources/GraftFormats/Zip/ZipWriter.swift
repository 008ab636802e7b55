internal import CZip
import Foundation
import GraftModel

/// Writes a zip archive.
package enum ZipWriter {
    /// One member to be.
    package struct Member {
        let name: String
        let content: ByteStream
        let isPacked: Bool

        /// A member from memory, packed (deflate) or as it is.
        package init(_ name: String, bytes: [UInt8], packed: Bool = false) {
            self.init(name, ByteStream([.bytes(bytes)]), packed: packed)
        }

        /// A member whose bytes are asked for while the archive is written.
        init(_ name: String, _ content: ByteStream, packed: Bool = false) {
            (self.name, self.content, isPacked) = (name, content, packed)
        }
    }

    /// Writes an archive of these members, in this order, to a path where nothing is yet, or an empty file.
    ///
    /// Where the disk refuses, nothing is left. The members' date is now, or the one that `SOURCE_DATE_EPOCH` gives.
    ///
    /// - Throws: `.file` where something is in the file, or the disk refuses.
    package static func write(_ members: [Member], to path: String) throws(GraftError) {
        try write(members, to: path, date: SaveDate())
    }

    /// As ``write(_:to:)``, with this date.
    static func write(_ members: [Member], to path: String, date: SaveDate) throws(GraftError) {
        let archive = try create(path)
        var isClosed = false
        defer {
            if !isClosed {
                zip_discard(archive)
                unlink(path)
            }
        }
        for member in members { try add(member, to: archive, path, date) }
        guard zip_close(archive) == 0 else { throw failure(archive, path) }
        isClosed = true
    }

    /// A new archive, not written to yet.
    private static func create(_ path: String) throws(GraftError) -> OpaquePointer {
        let sink = Unmanaged.passRetained(try ZipSink(filling: path))
        var error = zip_error_t()
        zip_error_init(&error)
        defer { zip_error_fini(&error) }
        guard let source = zip_source_function_create(ZipSink.answer, sink.toOpaque(), &error) else {
            sink.release()
            throw GraftError(.file, "cannot create \(path): \(String(cString: zip_error_strerror(&error)))")
        }
        guard let archive = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error) else {
            zip_source_free(source)
            throw GraftError(.file, "cannot create \(path): \(String(cString: zip_error_strerror(&error)))")
        }
        return archive
    }

    private static func add(
        _ member: Member, to archive: OpaquePointer, _ path: String, _ date: SaveDate
    ) throws(GraftError) {
        let stream = Unmanaged.passRetained(member.content)
        guard let source = zip_source_function(archive, answer, stream.toOpaque()) else {
            stream.release()
            throw failure(archive, path)
        }
        let index = zip_file_add(archive, member.name, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
        guard index >= 0 else {
            zip_source_free(source)
            throw failure(archive, path)
        }
        let method = member.isPacked ? ZIP_CM_DEFLATE : ZIP_CM_STORE
        guard zip_set_file_compression(archive, zip_uint64_t(index), method, 0) == 0,
            zip_file_set_dostime(archive, zip_uint64_t(index), date.dos.time, date.dos.date, 0) == 0
        else { throw failure(archive, path) }
    }

    /// Answers libzip's questions to a source: open, read, how large, close. It owns the stream until it is freed.
    private static let answer: zip_source_callback = { state, data, count, command in
        guard let state else { return -1 }
        let owner = Unmanaged<ByteStream>.fromOpaque(state)
        switch command {
        case ZIP_SOURCE_OPEN:
            owner.takeUnretainedValue().rewind()
            return 0
        case ZIP_SOURCE_READ:
            let buffer = UnsafeMutableRawBufferPointer(start: data, count: Int(clamping: count))
            return zip_int64_t(owner.takeUnretainedValue().read(into: buffer))
        case ZIP_SOURCE_STAT:
            guard let data, count >= MemoryLayout<zip_stat_t>.size else { return -1 }
            let status = data.assumingMemoryBound(to: zip_stat_t.self)
            zip_stat_init(status)
            status.pointee.size = zip_uint64_t(owner.takeUnretainedValue().byteCount)
            status.pointee.valid |= zip_uint64_t(ZIP_STAT_SIZE)
            return zip_int64_t(MemoryLayout<zip_stat_t>.size)
        case ZIP_SOURCE_ERROR:
            // Reading memory does not fail: no error of libzip's, none of the system's.
            data?.initializeMemory(as: Int32.self, repeating: 0, count: 2)
            return 8
        case ZIP_SOURCE_CLOSE: return 0
        case ZIP_SOURCE_FREE:
            owner.release()
            return 0
        case ZIP_SOURCE_SUPPORTS: return graft_zip_stream_commands()
        default: return -1
        }
    }

    private static func failure(_ archive: OpaquePointer, _ path: String) -> GraftError {
        GraftError(.file, "cannot write \(path): \(String(cString: zip_strerror(archive)).lowercasedFirst)")
    }
}
