internal import CHDF5
import Foundation
import GraftGraph

/// The C library's rules, kept in one place: one call at a time, no printing, every failure an error with its words.
enum HDF5Library {
    /// HDF5 as Debian and Homebrew build it may be called by one thread at a time. Recursive, because a handle may be
    /// released while a call holds the lock.
    private static let lock = NSRecursiveLock()

    /// Runs calls to HDF5 under the lock, with its own printing of errors off.
    static func calls<Result>(_ body: () throws(GraftError) -> Result) throws(GraftError) -> Result {
        lock.lock()
        let printing = graft_h5_silence()
        defer {
            graft_h5_restore(printing)
            lock.unlock()
        }
        return try body()
    }

    /// Calls that cannot fail, or whose failure has no consequence.
    static func quietly(_ body: () -> Void) {
        lock.lock()
        let printing = graft_h5_silence()
        body()
        graft_h5_restore(printing)
        lock.unlock()
    }

    /// What HDF5 said of its last failure, in its words; clears it.
    static func takeMessage() -> String {
        var text = [CChar](repeating: 0, count: 512)
        graft_h5_take_message(&text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// A failure of one HDF5 call: what was being done, and what the library said.
    static func failure(_ code: GraftError.Code = .format, _ what: String) -> GraftError {
        let message = takeMessage()
        return GraftError(code, message.isEmpty ? what : "\(what) (HDF5: \(message))")
    }

    /// Passes on a call's status, negative for failure.
    static func check(
        _ status: some SignedInteger, code: GraftError.Code = .format, _ what: @autoclosure () -> String
    ) throws(GraftError) {
        if status < 0 { throw failure(code, what()) }
    }
}

/// Owns one HDF5 identifier (a file, group, dataset, type, …) and releases it.
///
/// Sendable because the identifier never changes, and `isOpen` is used under the library's lock alone.
final class HDF5Handle: @unchecked Sendable {
    let id: hid_t
    private var isOpen = true

    /// Takes ownership of what a call returned; a negative identifier is that call's failure.
    init(
        _ id: hid_t, code: GraftError.Code = .format, _ what: @autoclosure () -> String
    ) throws(GraftError) {
        guard id >= 0 else { throw HDF5Library.failure(code, what()) }
        self.id = id
    }

    /// Gives the identifier back before the handle's own end.
    func release() {
        HDF5Library.quietly {
            if isOpen { _ = H5Idec_ref(id) }
            isOpen = false
        }
    }

    deinit { release() }
}
