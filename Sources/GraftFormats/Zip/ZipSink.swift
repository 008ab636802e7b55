internal import CZip
import Foundation
import GraftGraph

/// A new file that libzip writes an archive to, in pieces of a megabyte: on its own it writes four kilobytes at a time. One
/// piece is written while libzip sums up the next.
///
/// Used by one call of libzip's after the other.
final class ZipSink {
    private let file: WriteBehind
    /// The end of what was written so far.
    private var end = 0

    /// Makes the file, or takes one that is there and empty.
    ///
    /// - Throws: `.file` where something is in it, or the disk refuses.
    init(filling path: String) throws(GraftError) { file = try WriteBehind(filling: path) }

    /// Answers libzip's commands to a source that an archive is written to. It owns the sink until it is freed.
    static let answer: zip_source_callback = { state, data, count, command in
        guard let state else { return -1 }
        let owner = Unmanaged<ZipSink>.fromOpaque(state)
        let sink = owner.takeUnretainedValue()
        switch command {
        case ZIP_SOURCE_WRITE: return sink.write(UnsafeRawBufferPointer(start: data, count: Int(clamping: count)))
        case ZIP_SOURCE_SEEK_WRITE: return sink.seek(data, count)
        case ZIP_SOURCE_TELL_WRITE: return zip_int64_t(sink.file.position)
        case ZIP_SOURCE_COMMIT_WRITE: return sink.file.flush() ? 0 : -1
        // Reading finds a file without bytes; the sink's owner removes what is left after a failure.
        case ZIP_SOURCE_OPEN, ZIP_SOURCE_CLOSE, ZIP_SOURCE_READ: return 0
        case ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_ROLLBACK_WRITE, ZIP_SOURCE_REMOVE: return 0
        case ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL: return 0
        case ZIP_SOURCE_STAT: return emptyStatus(data, count)
        case ZIP_SOURCE_ERROR: return sink.error(data, count)
        case ZIP_SOURCE_FREE:
            owner.release()
            return 0
        case ZIP_SOURCE_SUPPORTS: return graft_zip_sink_commands()
        default: return -1
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> zip_int64_t {
        guard file.append(bytes) else { return -1 }
        end = max(end, file.position)
        return zip_int64_t(bytes.count)
    }

    private func seek(_ data: UnsafeMutableRawPointer?, _ count: zip_uint64_t) -> zip_int64_t {
        var failure = zip_error_t()
        let target = zip_source_seek_compute_offset(
            zip_uint64_t(file.position), zip_uint64_t(end), data, count, &failure)
        return target >= 0 && file.seek(to: Int(target)) ? 0 : -1
    }

    /// libzip's number for a failed write, and the system's.
    private func error(_ data: UnsafeMutableRawPointer?, _ count: zip_uint64_t) -> zip_int64_t {
        var failure = zip_error_t()
        zip_error_init(&failure)
        zip_error_set(&failure, ZIP_ER_WRITE, file.systemError ?? 0)
        return zip_error_to_data(&failure, data, count)
    }

    private static func emptyStatus(_ data: UnsafeMutableRawPointer?, _ count: zip_uint64_t) -> zip_int64_t {
        guard let data, count >= MemoryLayout<zip_stat_t>.size else { return -1 }
        let status = data.assumingMemoryBound(to: zip_stat_t.self)
        zip_stat_init(status)
        status.pointee.size = 0
        status.pointee.valid |= zip_uint64_t(ZIP_STAT_SIZE)
        return 0
    }
}
