import Foundation
import GraftFormats
import GraftGraph
import GraftModel
import GraftTestSupport
import Synchronization
import Testing

@testable import GraftTraining

/// Data sets with several views of each example, through `fit`.
@Suite struct ViewTests {
    private let folder = TemporaryFolder()

    private static let (count, views) = (11, 3)

    private func data(holes: Set<Int> = [], key: UInt64 = 9, views: Int = views) throws -> ViewedDataset {
        let base = try ResumeProblem.all[0].data(Self.count, key: key)
        return ViewedDataset(base: base, views: views, holes: holes)
    }

    private func options(_ keepsFeatures: Bool, _ flag: CancellationFlag? = nil) -> TrainingOptions {
        TrainingOptions(features: keepsFeatures ? .temporary : .off, threads: 1, cancellation: flag)
    }

    private func model(keepsFeatures: Bool) throws -> Model {
        var problem = ResumeProblem.all[1]
        problem.keepsTrunk = keepsFeatures
        return try problem.model()
    }

    /// Expects that what was asked for last are these epochs, each with every example once in its view. Batches of features
    /// for the next epoch are read while one ends, so that there only the whole tells.
    private func expectEpochs(
        _ epochs: Range<Int>, in requests: [[Int]], without holes: Set<Int> = [], oneByOne: Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let examples = (0..<Self.count).filter { !holes.contains($0) }
        let wanted = epochs.map { epoch in examples.map { epoch % Self.views * Self.count + $0 } }
        let numbers = Array(requests.flatMap(\.self).suffix(epochs.count * examples.count))
        #expect(numbers.sorted() == wanted.flatMap(\.self).sorted(), sourceLocation: sourceLocation)
        guard oneByOne else { return }
        for (position, wanted) in wanted.enumerated() {
            let drawn = numbers[(position * examples.count)..<((position + 1) * examples.count)]
            #expect(drawn.sorted() == wanted, "epoch \(position)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [false, true])
    func anEpochSeesEachExampleOnceInItsView(keepsFeatures: Bool) throws {
        let data = try data()
        try model(keepsFeatures: keepsFeatures).fit(data, batchSize: 4, epochs: 5, options: options(keepsFeatures))
        // Kept features are read along with targets.
        let requests = keepsFeatures ? data.log.targets : data.log.batches
        expectEpochs(0..<5, in: requests, oneByOne: !keepsFeatures)
    }

    @Test func aSecondFitGoesOnWithTheNextView() throws {
        let (data, model) = (try data(), try model(keepsFeatures: false))
        for epoch in 0..<4 {
            try model.fit(data, batchSize: 4, options: options(false))
            expectEpochs(epoch..<(epoch + 1), in: data.log.batches, oneByOne: true)
        }
    }

    @Test func onlyViewsThatAreDrawnNeedFeatures() throws {
        for (epochs, decoded) in [(1, 1), (2, 2), (3, 3), (7, 3)] {
            let data = try data()
            let history = try model(keepsFeatures: true).fit(data, batchSize: 4, epochs: epochs, options: options(true))
            let numbers = data.log.batches.flatMap(\.self)
            #expect(Set(numbers) == Set(0..<(decoded * Self.count)))
            // One more for the check of the shape.
            #expect(numbers.count == decoded * Self.count + 1 && history.reusedFeatureCount == 0)
        }
    }

    @Test func featuresOfEachViewAreKeptAndFound() throws {
        let options = TrainingOptions(features: .folder(folder.path), threads: 1)
        try model(keepsFeatures: true).fit(data(), batchSize: 4, epochs: 2, options: options)
        let again = try data()
        let history = try model(keepsFeatures: true).fit(again, batchSize: 4, epochs: 3, options: options)
        #expect(history.reusedFeatureCount == 2 * Self.count)
        let numbers = again.log.batches.dropFirst().flatMap(\.self)
        #expect(Set(numbers) == Set((2 * Self.count)..<(3 * Self.count)))
    }

    /// What a frozen trunk's features teach is what the live network does, but for roundings.
    @Test func keptViewsTrainAsLiveOnes() throws {
        let runs = try [false, true].map { keeps in
            let model = try model(keepsFeatures: true)
            try model.fit(data(), batchSize: 4, epochs: 4, seed: 5, options: options(keeps))
            return model.weights
        }
        for (live, kept) in zip(runs[0], runs[1]) {
            let difference = zip(live.scalars, kept.scalars).map { abs($0 - $1) }.max() ?? 0
            // Twelve steps of roundings, which both take in another order.
            #expect(difference <= 1e-4)
        }
    }

    /// Views that do not differ are no views: the same bits as the examples alone.
    @Test(arguments: [false, true])
    func equalViewsChangeNothing(keepsFeatures: Bool) throws {
        var viewed = try data()
        viewed.differ = false
        let sets: [any Dataset] = [viewed, viewed.base]
        let weights = try sets.map { set in
            let model = try model(keepsFeatures: keepsFeatures)
            try model.fit(
                set, batchSize: 4, epochs: 4, validation: set, seed: 5, classWeights: [1: 2],
                sampleWeights: (0..<Self.count).map { 1 + Float($0) / 10 }, options: options(keepsFeatures))
            return model.weights
        }
        #expect(weights[0] == weights[1])
    }

    @Test func evaluationPredictionAndValidationTakeTheFirstView() throws {
        let (data, model) = (try data(), try model(keepsFeatures: false))
        #expect(try model.evaluate(data, batchSize: 4).exampleCount == Self.count)
        try model.forEachPrediction(of: data, batchSize: 4) { _ in }
        try model.fit(data.base, batchSize: 4, epochs: 2, validation: data, options: options(false))
        #expect(data.log.batches.flatMap(\.self).allSatisfy { $0 < Self.count })
    }

    // MARK: Unreadable examples

    @Test(arguments: [false, true])
    func anExampleThatCannotBeReadIsLeftOutInAllViews(keepsFeatures: Bool) throws {
        let data = try data(holes: [2, 7])
        let teller = ResumeProblem.Teller()
        let history = try model(keepsFeatures: keepsFeatures).fit(
            data, batchSize: 4, epochs: 5, callbacks: [teller], options: options(keepsFeatures))
        #expect(history.failures.map(\.index).sorted() == [2, 7])
        #expect(history.exampleCount == Self.count - 2)
        let requests = keepsFeatures ? data.log.targets : data.log.batches
        // Live, the first epoch meets them and later ones do not ask again. With kept features they are known before it.
        let epochs = keepsFeatures ? 0..<5 : 1..<5
        expectEpochs(epochs, in: requests, without: [2, 7], oneByOne: !keepsFeatures)
    }

    // MARK: Going on

    @Test(arguments: [false, true])
    func stoppedAfterAnyStepAndResumedGivesTheSameBits(keepsFeatures: Bool) throws {
        func run(_ checkpoint: Checkpointing? = nil, cancelAfter step: Int? = nil) throws -> ([Tensor], [Int], Bool) {
            let (model, flag) = (try model(keepsFeatures: keepsFeatures), CancellationFlag())
            let history = try model.fit(
                data(holes: [2, 7]), batchSize: 4, epochs: 4, validation: data(key: 10), seed: 5,
                sampleWeights: (0..<Self.count).map { 1 + Float($0) / 10 },
                callbacks: [ResumeProblem.Stopper(flag, step: step)], options: options(keepsFeatures, flag),
                checkpoint: checkpoint)
            return (model.weights, history.failures.map(\.index).sorted(), history.isInterrupted)
        }
        let plain = try run()
        for step in 1...12 {
            let checkpoint = Checkpointing(folder.path + "/\(step)", every: .never)
            #expect(try run(checkpoint, cancelAfter: step).2, "step \(step)")
            let resumed = try run(checkpoint)
            #expect(resumed.0 == plain.0 && resumed.1 == plain.1, "after step \(step)")
        }
    }

    @Test func otherViewsAreOtherData() throws {
        let checkpoint = Checkpointing(folder.path + "/run", every: .never)
        func run(_ data: any Dataset, cancelAfter step: Int? = nil) throws {
            let flag = CancellationFlag()
            try model(keepsFeatures: false).fit(
                data, batchSize: 4, epochs: 2, callbacks: [ResumeProblem.Stopper(flag, step: step)],
                options: options(false, flag), checkpoint: checkpoint)
        }
        try run(data(), cancelAfter: 2)
        let fewer = #expect(throws: GraftError.self) { try run(data(views: 2)) }
        #expect(fewer?.message.contains("the training data's number of views is 2 and was 3") == true)
        let none = #expect(throws: GraftError.self) { try run(data().base) }
        #expect(none?.message.contains("the training data's number of views is 1 and was 3") == true)
        try run(data())
    }
}

/// Examples whose views differ by a little in every number, and a log of what was asked for.
private struct ViewedDataset: Dataset {
    let base: ArrayDataset
    let views: Int
    /// Examples that cannot be read.
    let holes: Set<Int>
    let log = Log()
    /// Whether views differ at all.
    var differ = true

    final class Log: Sendable {
        private let requests = Mutex<(batches: [[Int]], targets: [[Int]])>(([], []))
        var batches: [[Int]] { requests.withLock { $0.batches } }
        var targets: [[Int]] { requests.withLock { $0.targets } }
        func add(batch: [Int]) { requests.withLock { $0.batches.append(batch) } }
        func add(targets: [Int]) { requests.withLock { $0.targets.append(targets) } }
    }

    var count: Int { base.count }
    var classNames: [String]? { nil }
    var inputRule: InputRule? { nil }

    func fingerprint(of index: Int) throws -> String? {
        guard !holes.contains(index % count) else { throw GraftError(.file, "a hole") }
        return try base.fingerprint(of: index % count).map { differ ? "\($0) view \(index / count)" : $0 }
    }

    func targets(of indices: [Int]) throws -> [Tensor] {
        log.add(targets: indices)
        return try base.targets(of: indices.map { $0 % count })
    }

    func batch(_ indices: [Int]) throws -> Batch {
        log.add(batch: indices)
        let readable = indices.filter { !holes.contains($0 % count) }
        var batch = try base.batch(readable.map { $0 % count })
        batch.indices = readable
        if differ {
            batch.inputs = batch.inputs.map { input in
                let size = input.count / max(readable.count, 1)
                return input.withUnsafeBuffer { elements in
                    Tensor(
                        elements.enumerated().map { $1 + 0.1 * Float(readable[$0 / size] / count) }, shape: input.shape)
                }
            }
        }
        batch.failures = indices.filter { holes.contains($0 % count) }.map {
            ExampleFailure(index: $0, path: "\($0 % count)", message: "a hole")
        }
        return batch
    }
}
