/// How far something is.
public struct Progress: Sendable, Hashable {
    /// Examples done.
    public var done: Int
    /// Examples in all.
    public var total: Int
    /// Seconds since it began.
    public var elapsed: Double

    /// Progress of this much.
    public init(done: Int, total: Int, elapsed: Double) {
        (self.done, self.total, self.elapsed) = (done, total, elapsed)
    }

    /// Seconds to go at the pace so far, or `nil` before anything is done.
    public var remaining: Double? { done > 0 ? elapsed / Double(done) * Double(max(total - done, 0)) : nil }
}
