import Foundation
import GraftDigest
import GraftFormats
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Frozen is frozen: what does not train has the same hash before and after, whatever is done on the way, the statistics
/// of batch normalization included.
@Suite struct FrozenTests {
    private let folder = TemporaryFolder()

    private enum Path: String, CaseIterable, Sendable {
        case fit, accumulation, movingAverage, weightDecay, regularizer, resume, resumeInAnotherProcess, secondFit,
            earlyStopping
    }

    /// What of the base trains.
    enum Extent: CaseIterable, Sendable {
        case headAlone, fromSecondBlock, wholeBaseWithFrozenStatistics, oneLayerInTheMiddle
    }

    @Test(arguments: Extent.allCases, [true, false])
    func hashesStayOnEveryPath(_ extent: Extent, keepsFeatures: Bool) throws {
        for path in Path.allCases {
            let model = try train(extent, path, keepsFeatures: keepsFeatures)
            #expect(model.after == model.before, "\(path)")
            // What trains does change, or the test would say nothing.
            #expect(model.trainedAfter.allSatisfy { !model.trainedBefore.contains($0) }, "\(path)")
        }
    }

    /// A variable that trained in one `fit` and is frozen in the next stays, its moving average too.
    @Test func whatIsFrozenLaterStaysAsItWas() throws {
        let (base, model) = try network()
        try compile(model, .movingAverage)
        base.freeze()
        try base.unfreeze(from: "conv1")
        let options = TrainingOptions(features: .temporary, threads: 1)
        try model.fit(data(), batchSize: 4, epochs: 2, options: options)
        base.freeze()
        let before = hashes(base.variables)
        try model.fit(data(), batchSize: 4, epochs: 2, options: options)
        try fitWithInterruptions(model, options, "later")
        #expect(hashes(base.variables) == before)
    }

    /// Statistics that are asked to follow the batches do so in what is unfrozen and nowhere else.
    @Test func updatingStatisticsMoveWhereTheLayerTrainsAlone() throws {
        let (base, model) = try network()
        base.setStatistics(.updating)
        base.freeze()
        try base.unfreeze(from: "conv1")
        let (below, above) = (try base.layer(named: "norm0"), try base.layer(named: "norm1"))
        let (still, moving) = (hashes(below.variables), hashes(above.variables))
        try compile(model, .fit)
        try model.fit(data(), batchSize: 4, epochs: 2, options: TrainingOptions(features: .off, threads: 1))
        #expect(hashes(below.variables) == still)
        #expect(zip(hashes(above.variables), moving).allSatisfy { $0 != $1 })
    }

    // MARK: Running

    private struct Outcome {
        let before: [String]
        let after: [String]
        let trainedBefore: [String]
        let trainedAfter: [String]
    }

    /// - Parameter isSecond: whether a first process was stopped, and this one goes on.
    private func train(
        _ extent: Extent, _ path: Path, keepsFeatures: Bool, isSecond: Bool = false
    ) throws -> Outcome {
        let (base, model) = try network(regularizer: path == .regularizer ? .l2(0.1) : nil)
        base.freeze()
        switch extent {
        case .headAlone: break
        case .fromSecondBlock: try base.unfreeze(from: "conv1")
        case .wholeBaseWithFrozenStatistics: base.unfreeze()
        case .oneLayerInTheMiddle: try base.layer(named: "norm0").trainable = true
        }
        try compile(model, path)
        let (before, trainedBefore) = (hashes(model.nonTrainableVariables), hashes(model.trainableVariables))
        let options = TrainingOptions(features: keepsFeatures ? .temporary : .off, threads: 1)
        switch path {
        case .resume: try fitWithInterruptions(model, options, "\(extent)")
        case .resumeInAnotherProcess:
            let file = folder.path + "/\(extent)-\(keepsFeatures).checkpoint"
            if isSecond {
                try model.fit(
                    data(), batchSize: 4, epochs: 2, callbacks: [ResumeProblem.Stopper(CancellationFlag(), step: nil)],
                    options: options, checkpoint: Checkpointing(file, every: .never))
                break
            }
            let flag = CancellationFlag()
            var stopped = options
            stopped.cancellation = flag
            try model.fit(
                data(), batchSize: 4, epochs: 2, callbacks: [ResumeProblem.Stopper(flag, step: 3)], options: stopped,
                checkpoint: Checkpointing(file, every: .never))
            return try train(extent, path, keepsFeatures: keepsFeatures, isSecond: true)
        case .earlyStopping:
            let stopping = EarlyStopping(monitor: "loss", patience: 0, restoreBestWeights: true)
            try model.fit(data(), batchSize: 4, epochs: 3, callbacks: [stopping], options: options)
        case .secondFit:
            for _ in 0..<2 { try model.fit(data(), batchSize: 4, options: options) }
        default: try model.fit(data(), batchSize: 4, epochs: 2, validation: data(), options: options)
        }
        return Outcome(
            before: before, after: hashes(model.nonTrainableVariables), trainedBefore: trainedBefore,
            trainedAfter: hashes(model.trainableVariables))
    }

    /// Stops after each of the first steps and goes on from the checkpoint.
    private func fitWithInterruptions(_ model: Model, _ options: TrainingOptions, _ name: String) throws {
        let file = folder.path + "/\(name)-\(UUID().uuidString).checkpoint"
        for number in 0...3 {
            let flag = CancellationFlag()
            var options = options
            options.cancellation = flag
            let stopper = ResumeProblem.Stopper(flag, step: number < 3 ? 1 : nil)
            let history = try model.fit(
                data(), batchSize: 4, epochs: 2, callbacks: [stopper], options: options,
                checkpoint: Checkpointing(file, every: .steps(1)))
            #expect(history.isInterrupted == (number < 3))
        }
    }

    private func compile(_ model: Model, _ path: Path) throws {
        let settings =
            switch path {
            case .accumulation: OptimizerSettings(accumulationSteps: 2)
            case .movingAverage: OptimizerSettings(movingAverage: MovingAverage(momentum: 0.7, overwriteFrequency: 2))
            case .weightDecay: OptimizerSettings(weightDecay: 0.1, clipping: .norm(1))
            default: OptimizerSettings()
            }
        try model.compile(
            optimizer: Adam(learningRate: 0.01, settings: settings), loss: .sparseCategoricalCrossentropy,
            metrics: [.accuracy])
    }

    private func network(regularizer: Regularizer? = nil) throws -> (base: Model, model: Model) {
        try normalizedNetwork(regularizer: regularizer, dropout: 0.2)
    }

    private func data() throws -> ArrayDataset { try pictures(count: 14) }

    private func hashes(_ variables: [Variable]) -> [String] {
        variables.map { variable in
            variable.value.withUnsafeBuffer { values in
                "\(variable.path) " + SHA256.hash(Data(buffer: values)).hexadecimal
            }
        }
    }
}
