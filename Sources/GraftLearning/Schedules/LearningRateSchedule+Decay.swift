import Foundation

extension LearningRateSchedule {
    /// `initial · rate^p` with `p = step / decaySteps`.
    ///
    /// - Parameters:
    ///   - initial: the rate at step 0.
    ///   - decaySteps: the steps after which the rate is `decayRate` times what it was; above 0.
    ///   - decayRate: the factor.
    ///   - staircase: whether p is rounded down, so that the rate falls in steps.
    public static func exponentialDecay(
        initial: Float, decaySteps: Int, decayRate: Float, staircase: Bool = false
    ) -> LearningRateSchedule {
        LearningRateSchedule("exponential_decay", problem: stepsProblem(decaySteps)) { step in
            Double(initial) * pow(Double(decayRate), fraction(step, of: decaySteps, staircase))
        }
    }

    /// `initial / (1 + rate · p)` with `p = step / decaySteps`.
    ///
    /// - Parameters:
    ///   - initial: the rate at step 0.
    ///   - decaySteps: how many steps make p one larger; above 0.
    ///   - decayRate: how fast it falls.
    ///   - staircase: whether p is rounded down, so that the rate falls in steps.
    public static func inverseTimeDecay(
        initial: Float, decaySteps: Int, decayRate: Float, staircase: Bool = false
    ) -> LearningRateSchedule {
        LearningRateSchedule("inverse_time_decay", problem: stepsProblem(decaySteps)) { step in
            Double(initial) / (1 + Double(decayRate) * fraction(step, of: decaySteps, staircase))
        }
    }

    /// `values[0]` up to and with the step `boundaries[0]`, `values[1]` up to and with `boundaries[1]`, …, the last of
    /// the values after the last boundary.
    ///
    /// - Parameters:
    ///   - boundaries: steps, in ascending order.
    ///   - values: rates, one more than boundaries.
    public static func piecewiseConstant(boundaries: [Int], values: [Float]) -> LearningRateSchedule {
        let problem = problem(
            (
                values.count == boundaries.count + 1,
                "\(boundaries.count) boundaries and \(values.count) values; there must be one value more than boundaries"
            ),
            (boundaries == boundaries.sorted(), "the boundaries \(boundaries) must ascend"))
        return LearningRateSchedule("piecewise_constant", problem: problem) { step in
            let piece = boundaries.firstIndex { step <= Double($0) } ?? boundaries.count
            return values.indices.contains(piece) ? Double(values[piece]) : .nan
        }
    }

    /// `(initial − end) · (1 − p)^power + end` with `p = step / decaySteps`, at most 1.
    ///
    /// - Parameters:
    ///   - initial: the rate at step 0.
    ///   - decaySteps: the steps until the rate is `end`; above 0.
    ///   - end: the rate from then on.
    ///   - power: 1 is a straight line.
    ///   - cycle: whether to begin anew in place of staying at `end`, each time with `decaySteps` times the next whole
    ///     number in place of `decaySteps`, as Keras does.
    public static func polynomialDecay(
        initial: Float, decaySteps: Int, end: Float = 0.0001, power: Float = 1, cycle: Bool = false
    ) -> LearningRateSchedule {
        LearningRateSchedule("polynomial_decay", problem: stepsProblem(decaySteps)) { step in
            let cycles = cycle ? max((step / Double(decaySteps)).rounded(.up), 1) : 1
            let portion = min(step / (Double(decaySteps) * cycles), 1)
            return (Double(initial) - Double(end)) * pow(1 - portion, Double(power)) + Double(end)
        }
    }

    /// Half a wave of the cosine: `from · ((1 − α) · (1 + cos(π · p)) / 2 + α)` with `p = step / decaySteps`, at most 1.
    ///
    /// With a `warmupTarget` the rate goes in a straight line from `initial` to it during the first `warmupSteps` steps;
    /// the wave then begins at it. Without, the wave begins at `initial` and `warmupSteps` counts for nothing, as in
    /// Keras.
    ///
    /// - Parameters:
    ///   - initial: the rate at step 0.
    ///   - decaySteps: the length of the wave in steps, above 0.
    ///   - alpha: what share of the rate is left at its end.
    ///   - warmupTarget: the rate after the warm-up.
    ///   - warmupSteps: the length of the warm-up in steps.
    public static func cosineDecay(
        initial: Float, decaySteps: Int, alpha: Float = 0, warmupTarget: Float? = nil, warmupSteps: Int = 0
    ) -> LearningRateSchedule {
        LearningRateSchedule("cosine_decay", problem: stepsProblem(decaySteps)) { step in
            let (start, warmup) = (Double(initial), Double(warmupTarget == nil ? 0 : warmupSteps))
            let top = Double(warmupTarget ?? initial)
            if step < warmup { return (top - start) * (step / warmup) + start }
            let portion = min((step - warmup) / Double(decaySteps), 1)
            return top * ((1 - Double(alpha)) * 0.5 * (1 + cos(.pi * portion)) + Double(alpha))
        }
    }

    /// Cosine waves one after the other, each `tMul` times as long as the one before and beginning `mMul` times as high:
    /// `initial · ((1 − α) · mMulⁱ · (1 + cos(π · p)) / 2 + α)` in wave i, p the part of it that is done.
    ///
    /// - Parameters:
    ///   - initial: the rate at step 0.
    ///   - firstDecaySteps: the length of the first wave in steps, above 0.
    ///   - tMul: the ratio of the lengths, at least 1.
    ///   - mMul: the ratio of the heights.
    ///   - alpha: what share of the rate is left at the end of a wave.
    ///
    /// Source: I. Loshchilov and F. Hutter, arXiv:1608.03983.
    public static func cosineDecayRestarts(
        initial: Float, firstDecaySteps: Int, tMul: Float = 2, mMul: Float = 1, alpha: Float = 0
    ) -> LearningRateSchedule {
        let problem = stepsProblem(firstDecaySteps) ?? problem((tMul >= 1, "tMul is \(tMul); it must be 1 or more"))
        return LearningRateSchedule("cosine_decay_restarts", problem: problem) { step in
            // Wave by wave, as Keras's logarithm may miss the step of a restart by rounding.
            var (rest, length, height) = (step, Double(max(firstDecaySteps, 1)), 1.0)
            if tMul <= 1 {
                let wave = (rest / length).rounded(.down)
                (rest, height) = (rest - wave * length, pow(Double(mMul), wave))
            } else {
                while rest >= length {
                    rest -= length
                    length *= Double(max(tMul, 1))
                    height *= Double(mMul)
                }
            }
            let wave = 0.5 * height * (1 + cos(.pi * rest / length))
            return Double(initial) * ((1 - Double(alpha)) * wave + Double(alpha))
        }
    }

    private static func stepsProblem(_ steps: Int) -> String? {
        problem((steps > 0, "the number of decay steps is \(steps); it must be 1 or more"))
    }

    private static func fraction(_ step: Double, of steps: Int, _ staircase: Bool) -> Double {
        let fraction = step / Double(steps)
        return staircase ? fraction.rounded(.down) : fraction
    }
}
