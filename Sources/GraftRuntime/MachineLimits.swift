/// What this machine can do at most: the measure that a profile is held against.
public struct MachineLimits: Sendable, Hashable {
    /// Additions and multiplications a second, in 32-bit floats.
    public var flopsPerSecond: Double
    /// Additions and multiplications a second of bfloat16; `nil` where the processor does not have it.
    public var bfloat16FlopsPerSecond: Double?
    /// Bytes a second to and from memory.
    public var bytesPerSecond: Double

    /// Limits that are known from elsewhere.
    public init(flopsPerSecond: Double, bfloat16FlopsPerSecond: Double? = nil, bytesPerSecond: Double) {
        (self.flopsPerSecond, self.bytesPerSecond) = (flopsPerSecond, bytesPerSecond)
        self.bfloat16FlopsPerSecond = bfloat16FlopsPerSecond
    }
}
