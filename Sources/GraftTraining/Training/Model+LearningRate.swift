import Foundation
import GraftData
import GraftGraph
import GraftModel

extension Model {
    /// Tries learning rates: trains step by step while the rate rises evenly in its logarithm, and notes the losses.
    ///
    ///     let curve = try model.findLearningRate(photos)
    ///     try model.compile(optimizer: Adam(learningRate: .constant(curve.suggested ?? 1e-3)), loss: …)
    ///
    /// Uses the compiled optimizer and loss, from a fresh start. Ends early where the loss is NaN or four times the
    /// smallest so far. Afterwards the model's variables, what the optimizer remembers and the steps counted are what
    /// they were, bit for bit, also where this throws.
    ///
    /// - Parameters:
    ///   - examples: what to train on; begins anew where there are fewer than the steps need.
    ///   - lowest: the rate of the first step, above 0.
    ///   - highest: the rate of the last step, above `lowest`.
    ///   - steps: the number of steps, 2 or more.
    ///   - batchSize: examples in a step.
    ///   - seed: what the order and dropout follow from.
    ///   - options: threads, cache, a flag to stop.
    /// - Throws: what `fit` throws but for a loss that is NaN; `argument` for rates and steps out of their range,
    ///   `cancelled`.
    public func findLearningRate(
        _ examples: any Dataset, from lowest: Float = 1e-7, to highest: Float = 1, steps: Int = 100,
        batchSize: Int = 32, seed: UInt64 = 0, options: TrainingOptions = TrainingOptions()
    ) throws -> LearningRateCurve {
        try requirePositive(batchSize, "batchSize")
        guard lowest > 0, highest > lowest, highest.isFinite, steps >= 2 else {
            throw GraftError(
                .argument,
                "the learning rate was to rise from \(lowest) to \(highest) in \(steps) steps; it must begin above 0 and "
                    + "rise, in 2 steps or more")
        }
        let state = TrainingState.of(self)
        let compilation = try state.begin()
        let (values, metadata) = (variables.map { ($0, $0.value) }, metadata)
        defer {
            for (variable, value) in values { variable.value = value }
            self.metadata = metadata
            state.end(compilation)
        }
        var optimizer = compilation.optimizer
        optimizer.learningRate = .rising(from: lowest, to: highest, steps: steps)
        let recorder = RateRecorder(steps: steps)
        let arguments = FitRun.Arguments(
            batchSize: batchSize, epochs: steps, shuffle: true, seed: seed, weights: nil, callbacks: [recorder],
            options: options, explainsFailures: false)
        let run = try FitRun(
            self, Compilation(optimizer: optimizer, objective: compilation.objective), training: examples,
            validation: nil, arguments)
        do {
            let history = try run.execute()
            if history.isInterrupted { throw GraftError(.cancelled, "stopped as asked") }
        } catch is RateRecorder.Done {
        } catch let error as GraftError where error.code == .data && run.compilation.stepCount > recorder.losses.count {
            // A step was done whose loss is NaN: the end of the curve.
        }
        return LearningRateCurve(
            rates: recorder.losses.indices.map { optimizer.learningRate.rate(at: $0) }, losses: recorder.losses)
    }
}

extension LearningRateSchedule {
    /// `from · (to / from)^(step / (steps − 1))`
    fileprivate static func rising(from lowest: Float, to highest: Float, steps: Int) -> LearningRateSchedule {
        LearningRateSchedule("rising", problem: nil) { step in
            let portion = min(step / Double(steps - 1), 1)
            return Double(lowest) * pow(Double(highest) / Double(lowest), portion)
        }
    }
}

/// Notes the loss of each step, and ends the run when there are enough or the loss has left.
private final class RateRecorder: Callback {
    struct Done: Error {}

    private(set) var losses: [Double] = []
    private let steps: Int
    private var smallest = Double.infinity

    init(steps: Int) { self.steps = steps }

    func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        guard case .step(let report) = event else { return }
        losses.append(report.loss)
        smallest = min(smallest, report.loss)
        if losses.count == steps || report.loss > 4 * smallest { throw Done() }
    }
}
