/// The time that one step took over the runs of a plan.
public struct StepProfile: Sendable, Hashable {
    /// The layer that the step came from; empty where there is none.
    public var label: String
    /// The operation.
    public var operation: String
    /// The kernel that ran it.
    public var implementation: String
    /// How often it ran.
    public var count: Int
    /// Its time over all runs.
    public var seconds: Double
    /// The additions and multiplications of one run; 0 where memory alone counts.
    public var flopCount: Int
    /// The bytes that one run reads and writes, each array once.
    public var byteCount: Int
    /// Whether it multiplies bfloat16.
    public var isBFloat16 = false

    /// The profile of a step.
    package init(
        label: String, operation: String, implementation: String, count: Int, seconds: Double, flopCount: Int = 0,
        byteCount: Int = 0
    ) {
        (self.label, self.operation, self.implementation) = (label, operation, implementation)
        (self.count, self.seconds) = (count, seconds)
        (self.flopCount, self.byteCount) = (flopCount, byteCount)
    }
}

extension StepProfile {
    /// The seconds that the limits leave for it at least: the longer of its arithmetic and its memory traffic.
    public func seconds(at limits: MachineLimits) -> Double {
        let flopsPerSecond = isBFloat16 ? limits.bfloat16FlopsPerSecond ?? limits.flopsPerSecond : limits.flopsPerSecond
        return Double(count) * max(Double(flopCount) / flopsPerSecond, Double(byteCount) / limits.bytesPerSecond)
    }
}
