import Foundation
import Synchronization

/// Writes to a file on a thread of its own while the caller produces the next bytes: double buffering.
///
/// Used by one thread.
package final class WriteBehind {
    private static let capacity = 1 << 20

    private let file: File
    /// The buffer that is being filled, and the one that is being written or free.
    private var buffers: (filling: Buffer, other: Buffer)
    /// What is in the buffer, not yet on its way to the file.
    private var filled = 0
    /// Where in the file the buffer's bytes belong.
    package private(set) var start = 0
    private let writing = BackgroundWork(name: "graft file")
    /// The system's number for what went wrong first.
    private let failure = Failure()

    private final class Failure: Sendable {
        private let first = Mutex<Int32?>(nil)
        var number: Int32? { first.withLock { $0 } }
        func note(_ number: Int32) { first.withLock { $0 = $0 ?? number } }
    }

    /// Memory for a piece of the file. Sendable because it is filled or written, never both.
    private final class Buffer: @unchecked Sendable {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: WriteBehind.capacity, alignment: 64)
        deinit { bytes.deallocate() }
    }

    /// Writes to a new file, or one that is empty.
    ///
    /// - Throws: `.file` where something is in it, or the disk refuses.
    package init(filling path: String) throws(GraftError) {
        file = try File(filling: path)
        buffers = (Buffer(), Buffer())
    }

    deinit { wait() }

    /// Waits until the buffer is written. What went wrong is in ``systemError``, nothing is thrown.
    private func wait() { try? writing.finish() }

    /// Where the next byte goes.
    package var position: Int { start + filled }

    /// The system's number for what went wrong, if something did.
    package var systemError: Int32? { failure.number }

    /// Takes these bytes; false where something went wrong by now.
    package func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var done = 0
        while done < bytes.count {
            if filled == Self.capacity, !hand() { return false }
            let piece = UnsafeRawBufferPointer(rebasing: bytes[done...].prefix(Self.capacity - filled))
            UnsafeMutableRawBufferPointer(rebasing: buffers.filling.bytes[filled...]).copyMemory(from: piece)
            filled += piece.count
            done += piece.count
        }
        return true
    }

    /// Waits until everything is in the file; false where something went wrong.
    package func flush() -> Bool {
        guard hand() else { return false }
        wait()
        return systemError == nil
    }

    /// Goes on at another place of the file; false where something went wrong.
    package func seek(to target: Int) -> Bool {
        guard flush() else { return false }
        do throws(GraftError) {
            try file.seek(to: target)
        } catch {
            failure.note(errno)
            return false
        }
        start = target
        return true
    }

    /// Has the full buffer written and takes the other one.
    private func hand() -> Bool {
        wait()
        guard systemError == nil else { return false }
        let (buffer, count, place) = (buffers.filling, filled, start)
        buffers = (buffers.other, buffer)
        (start, filled) = (position, 0)
        guard count > 0 else { return true }
        try? writing.submit { [file, failure] in
            do throws(GraftError) {
                try file.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<count]))
                file.beginFlush(from: place, byteCount: count)
            } catch {
                failure.note(errno)
            }
        }
        return true
    }
}
