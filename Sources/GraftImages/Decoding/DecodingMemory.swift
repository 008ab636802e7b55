import Dispatch
import GraftGraph
import Synchronization

/// The memory that images take while they are decoded, over all threads: an image waits until there is room for it.
///
/// Its size is known from the header, before anything is taken. First come, first served, so that a large image is not
/// overtaken forever by small ones.
final class DecodingMemory: Sendable {
    /// That of this process: room for the largest image, or for many on a machine with much memory.
    static let shared = DecodingMemory(
        limit: max(ImageDecoder.maximumMemory, Int(clamping: MachineMemory.permitted / 8)))

    private let limit: Int
    private let state = Mutex(State())

    private struct State {
        var used = 0
        var waiting: [(byteCount: Int, turn: DispatchSemaphore)] = []
    }

    /// Memory of so many bytes.
    init(limit: Int) { self.limit = limit }

    /// The bytes that are taken now.
    var used: Int { state.withLock(\.used) }

    /// Does something that takes so many bytes, once there is room for them; at once where nothing else is done.
    func with<Result, Failure: Error>(
        _ byteCount: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        take(byteCount)
        defer { give(byteCount) }
        return try body()
    }

    private func take(_ byteCount: Int) {
        let turn: DispatchSemaphore? = state.withLock { state in
            if state.waiting.isEmpty, fits(byteCount, state.used) {
                state.used += byteCount
                return nil
            }
            let turn = DispatchSemaphore(value: 0)
            state.waiting.append((byteCount, turn))
            return turn
        }
        turn?.wait()
    }

    private func give(_ byteCount: Int) {
        state.withLock { state in
            state.used -= byteCount
            while let next = state.waiting.first, fits(next.byteCount, state.used) {
                state.used += next.byteCount
                state.waiting.removeFirst()
                next.turn.signal()
            }
        }
    }

    private func fits(_ byteCount: Int, _ used: Int) -> Bool { used == 0 || byteCount <= limit - used }
}

extension MachineMemory {
    /// What this process may take at the most: all there is, or what its container allows.
    fileprivate static var permitted: UInt64 {
        min(current.installed, ControlGroup.current.memoryLimit ?? .max)
    }
}
