import Foundation

extension LearningRateSchedule {
    /// This schedule after a linear warm-up: from `start` at step 0 to this schedule's first rate at step `steps`, where
    /// this schedule begins with its step 0.
    ///
    /// - Parameters:
    ///   - steps: the length of the line in steps; 0 changes nothing.
    ///   - start: the rate at step 0.
    public func warmedUp(over steps: Int, from start: Float = 0) -> LearningRateSchedule {
        let problem = Self.problem((steps >= 0, "the warm-up takes \(steps) steps; it must be 0 or more"))
        return LearningRateSchedule("\(description) after a warm-up", problem: problem) { step in
            let behind = Int(step) - steps
            guard behind < 0 else { return value(at: behind) }
            return Double(start) + (value(at: 0) - Double(start)) * step / Double(steps)
        }
    }

    /// One cycle: up from `maximum / divisor` to `maximum` during the first `warmupShare` of the steps, then down to
    /// `maximum / divisor / finalDivisor`, both along half a wave of the cosine. Stays there after `steps`.
    ///
    /// The momentum does not go down and up with it.
    ///
    /// - Parameters:
    ///   - maximum: the highest rate.
    ///   - steps: the length of the cycle in steps, 2 or more.
    ///   - warmupShare: the part of the steps that goes up, above 0 and below 1.
    ///   - divisor: how much lower than the highest the first rate is.
    ///   - finalDivisor: how much lower than the first the last rate is.
    ///
    /// Source: torch/optim/lr_scheduler.py, `OneCycleLR` with its defaults; L. Smith and N. Topin, arXiv:1708.07120.
    public static func oneCycle(
        maximum: Float, steps: Int, warmupShare: Float = 0.3, divisor: Float = 25, finalDivisor: Float = 10_000
    ) -> LearningRateSchedule {
        let problem = problem(
            (steps >= 2, "the cycle has \(steps) steps; it must have 2 or more"),
            (warmupShare > 0 && warmupShare < 1, "the warm-up's share is \(warmupShare); it must be between 0 and 1"),
            (divisor > 0 && finalDivisor > 0, "divisors must be above 0"))
        return LearningRateSchedule("one_cycle", problem: problem) { step in
            let (first, top) = (Double(maximum) / Double(divisor), Double(maximum))
            let (peak, end) = (Double(warmupShare) * Double(steps) - 1, Double(steps) - 1)
            if step <= peak { return wave(from: first, to: top, at: step / peak) }
            return wave(from: top, to: first / Double(finalDivisor), at: min((step - peak) / (end - peak), 1))
        }
    }

    /// A value on half a wave of the cosine, `portion` 0 at its beginning and 1 at its end.
    private static func wave(from start: Double, to end: Double, at portion: Double) -> Double {
        end + (start - end) / 2 * (1 + cos(.pi * portion))
    }
}
