import GraftModel
import Synchronization

/// What reading one untrusted file may cost, counted over all its structures together: a few times its size in memory and
/// time, whatever it says of itself.
///
/// - No byte belongs to two structures. So no small piece of a file can be read a thousand times, however its parts point
///   at one another.
/// - It describes no more things (members, messages, texts) than ``itemAllowance`` and one for each ``bytesPerItem`` of it, since
///   a thing that takes two bytes in a file takes a hundred in memory.
final class FileBudget: Sendable {
    /// More than the largest networks have layers, arrays and attributes together.
    static let itemAllowance = 200_000
    /// A layer's arrays with their names take kilobytes.
    static let bytesPerItem = 64

    private let path: String
    private let byteCount: UInt64
    private let itemLimit: Int
    private let state: Mutex<State>

    private struct State {
        var claims: ByteClaims
        var itemCount = 0
    }

    /// The budget of a file of so many bytes.
    init(path: String, byteCount: UInt64) {
        (self.path, self.byteCount) = (path, byteCount)
        itemLimit = Self.itemAllowance + Int(clamping: byteCount) / Self.bytesPerItem
        state = Mutex(State(claims: ByteClaims(byteCount: Int(clamping: byteCount))))
    }

    /// Says that bytes belong to a structure.
    ///
    /// - Throws: `.format` where they lie outside the file, or one of them belongs to another structure.
    func claim(_ address: UInt64, _ count: UInt64, for what: String) throws(GraftError) {
        guard count <= byteCount, address <= byteCount - count else {
            throw GraftError(.format, "\(path) is damaged: \(what) at byte \(address) lies outside the file")
        }
        let range = Int(address)..<Int(address + count)
        guard state.withLock({ $0.claims.claim(range) }) else {
            throw GraftError(
                .format,
                "\(path) is damaged or hostile: \(what) at byte \(address) overlaps with another part of the file")
        }
    }

    /// Counts things that the file describes.
    ///
    /// - Throws: `.format` where they are more than a file of this size can be about.
    func take(items count: Int) throws(GraftError) {
        let total = state.withLock { state in
            state.itemCount += count
            return state.itemCount
        }
        guard total <= itemLimit else {
            throw GraftError(
                .format,
                "\(path) is hostile: it describes more than \(itemLimit) members, attributes and texts, which no network has"
            )
        }
    }
}
