import Synchronization

/// A wish to stop, given from another thread or a signal handler and looked at between steps.
public final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    /// A flag that is down.
    public init() {}

    /// Asks to stop. One atomic store, so that a signal handler may do it.
    public func cancel() { flag.store(true, ordering: .relaxed) }

    /// Whether somebody asked to stop.
    public var isCancelled: Bool { flag.load(ordering: .relaxed) }
}
