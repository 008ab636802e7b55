import Foundation
import GraftFormats
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// A run that is ended and goes on gives what a run gives that nothing ended, bit by bit.
@Suite struct ResumeTests {
    private let folder = TemporaryFolder()

    private func path(_ name: String = "run.checkpoint") -> String { folder.path + "/" + name }

    // MARK: Bit for bit

    /// Killed after any step, or after any epoch: what a killed process leaves is the checkpoint that it last wrote.
    @Test(arguments: ResumeProblem.all)
    func killedAfterAnyStepAndResumedGivesTheSameBits(_ problem: ResumeProblem) throws {
        let plain = try problem.fit(problem.model())
        let every = EveryCheckpoint(folder.path)
        let watched = try problem.fit(problem.model(), checkpoint: Checkpointing(storage: every, every: .steps(1)))
        #expect(watched.difference(from: plain) == nil)
        // Four steps and an end an epoch.
        try #require(every.paths.count == 5 * problem.epochs)
        for path in every.paths {
            let resumed = try problem.fit(problem.model(), checkpoint: Checkpointing(path, every: .never))
            #expect(resumed.difference(from: plain) == nil, "\(path)")
        }
    }

    /// Stopped by wish: a checkpoint is taken there, whatever the interval is.
    @Test(arguments: ResumeProblem.all)
    func stoppedAfterAnyStepAndResumedGivesTheSameBits(_ problem: ResumeProblem) throws {
        let plain = try problem.fit(problem.model())
        for step in 1...(4 * problem.epochs) {
            let checkpoint = Checkpointing(path("\(step)"), every: .never)
            let stopped = try problem.fit(problem.model(), checkpoint: checkpoint, cancelAfter: step)
            #expect(stopped.isInterrupted)
            #expect(stopped.epochs.count == (step - 1) / 4)
            let resumed = try problem.fit(problem.model(), checkpoint: checkpoint)
            #expect(resumed.difference(from: plain) == nil, "after step \(step)")
        }
    }

    @Test(arguments: ResumeProblem.all.prefix(3))
    func stoppedAgainAndAgainGivesTheSameBits(_ problem: ResumeProblem) throws {
        let plain = try problem.fit(problem.model())
        let checkpoint = Checkpointing(path(), every: .never)
        var run: ResumeProblem.Run?
        var count = 0
        while run?.isInterrupted != false {
            run = try problem.fit(problem.model(), checkpoint: checkpoint, cancelAfter: 1)
            count += 1
        }
        #expect(count == 4 * problem.epochs + 1)
        #expect(run?.difference(from: plain) == nil)
    }

    @Test func aModelStoppedInAnEpochIsThatOfTheEpochBeforeAfterAResumeToo() throws {
        let problem = ResumeProblem.all[1]
        let checkpoint = Checkpointing(path(), every: .never)
        let first = try problem.fit(problem.model(), checkpoint: checkpoint, cancelAfter: 6)
        let second = try problem.fit(problem.model(), checkpoint: checkpoint, cancelAfter: 1)
        #expect(first.variables == second.variables)
        #expect(first.slots != second.slots)
    }

    @Test func aRunStoppedBeforeItsFirstStepIsKeptToo() throws {
        let problem = ResumeProblem.all[2]
        let (model, flag) = (try problem.model(), CancellationFlag())
        flag.cancel()
        let history = try model.fit(
            problem.data(), options: TrainingOptions(features: .temporary, threads: 1, cancellation: flag),
            checkpoint: Checkpointing(path(), every: .never))
        #expect(history.isInterrupted && history.epochs.isEmpty)
        let again = try problem.model()
        let options = TrainingOptions(features: .temporary, threads: 1)
        try again.fit(problem.data(), options: options, checkpoint: Checkpointing(path(), every: .never))
        let plain = try problem.model()
        try plain.fit(problem.data(), options: options)
        #expect(again.weights == plain.weights)
    }

    @Test func aSecondFitIsResumedToo() throws {
        let problem = ResumeProblem.all[0]
        func run(_ checkpoint: Checkpointing?, cancelAfter step: Int?) throws -> ResumeProblem.Run {
            let model = try problem.model()
            _ = try problem.fit(model)
            return try problem.fit(model, checkpoint: checkpoint, cancelAfter: step)
        }
        let plain = try run(nil, cancelAfter: nil)
        let checkpoint = Checkpointing(path(), every: .never)
        #expect(try run(checkpoint, cancelAfter: 7).isInterrupted)
        #expect(try run(checkpoint, cancelAfter: nil).difference(from: plain) == nil)
    }

    @Test func examplesThatCannotBeReadAreLeftOutAsBefore() throws {
        let (problem, checkpoint) = (ResumeProblem.all[1], Checkpointing(path(), every: .never))
        func run(_ checkpoint: Checkpointing? = nil, cancelAfter step: Int? = nil) throws -> ([Tensor], [String], Bool)
        {
            let (model, flag) = (try problem.model(), CancellationFlag())
            let history = try model.fit(
                HolesDataset(base: problem.data(), holes: [2, 3, 11]), batchSize: 5, epochs: 3,
                validation: HolesDataset(base: problem.data(6, key: 10), holes: [1]),
                callbacks: [ResumeProblem.Stopper(flag, step: step)],
                options: TrainingOptions(features: .off, threads: 1, cancellation: flag), checkpoint: checkpoint)
            return (model.weights, history.failures.map(\.description), history.isInterrupted)
        }
        let plain = try run()
        for step in 1...9 {
            #expect(try run(checkpoint, cancelAfter: step).2)
            let resumed = try run(checkpoint)
            #expect(resumed.0 == plain.0 && resumed.1 == plain.1, "after step \(step)")
        }
    }

    // MARK: The file

    @Test func theFileGoesWithACompleteRunAndStaysWhereThatIsWanted() throws {
        let problem = ResumeProblem.all[0]
        let plain = try problem.fit(problem.model(), checkpoint: Checkpointing(path(), every: .steps(1)))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        let kept = Checkpointing(path(), every: .never, keepsFile: true)
        #expect(try problem.fit(problem.model(), checkpoint: kept).difference(from: plain) == nil)
        // A run that was complete is passed over: not a step is done, and averages are adopted.
        let again = try problem.fit(problem.model(), checkpoint: kept, cancelAfter: 1)
        #expect(again.difference(from: plain) == nil)
    }

    @Test func moreEpochsThanBeforeGoOnFromTheEnd() throws {
        var problem = ResumeProblem.all[3]
        let kept = Checkpointing(path(), every: .never, keepsFile: true)
        _ = try problem.fit(problem.model(), checkpoint: kept)
        problem.epochs = 3
        let longer = try problem.fit(problem.model(), checkpoint: kept)
        #expect(try longer.difference(from: problem.fit(problem.model())) == nil)
    }

    @Test func aRunThatDoesNotResumeReplacesWhatIsThere() throws {
        let problem = ResumeProblem.all[0]
        _ = try problem.fit(problem.model(), checkpoint: Checkpointing(path(), every: .steps(1)), cancelAfter: 7)
        let anew = Checkpointing(path(), every: .never, resumes: false)
        let stopped = try problem.fit(problem.model(), checkpoint: anew, cancelAfter: 2)
        #expect(stopped.epochs.isEmpty)
        // The checkpoint before it was another run's.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["run.checkpoint"])
        let resumed = try problem.fit(problem.model(), checkpoint: Checkpointing(path(), every: .never))
        #expect(try resumed.difference(from: problem.fit(problem.model())) == nil)
    }

    @Test func aDamagedCheckpointIsNamedAndTheOneBeforeItUsed() throws {
        let problem = ResumeProblem.all[0]
        let checkpoint = Checkpointing(path(), every: .steps(1))
        _ = try problem.fit(problem.model(), checkpoint: checkpoint, cancelAfter: 6)
        try Data("damaged".utf8).write(to: URL(fileURLWithPath: path()))
        let teller = ResumeProblem.Teller()
        let resumed = try problem.fit(
            problem.model(), checkpoint: Checkpointing(path(), every: .never), teller: teller)
        let report = try #require(teller.resumed)
        #expect(report.checkpoint == path() + ".previous" && report.remarks.count == 1)
        #expect(report.remarks.first?.hasPrefix("\(path()) is not a zip archive: ") == true, "\(report.remarks)")
        #expect(try resumed.difference(from: problem.fit(problem.model())) == nil)
    }

    @Test func aFullDiskEndsNothingAndIsTold() throws {
        let problem = ResumeProblem.all[0]
        let teller = ResumeProblem.Teller()
        let checkpoint = Checkpointing(folder.path + "/nowhere/run.checkpoint", every: .epoch)
        let run = try problem.fit(problem.model(), checkpoint: checkpoint, teller: teller)
        #expect(try run.difference(from: problem.fit(problem.model())) == nil)
        #expect(teller.checkpoints.count == 2)
        #expect(teller.checkpoints.allSatisfy { $0.failure?.code == .file && $0.byteCount == 0 })
    }

    // MARK: Refusals

    @Test func anotherRunIsRefusedInWords() throws {
        let problem = ResumeProblem.all[0]
        let checkpoint = Checkpointing(path(), every: .never)
        _ = try problem.fit(problem.model(), checkpoint: checkpoint, cancelAfter: 3)
        let data = try problem.data()
        func message(
            _ change: (Model) throws -> Void = { _ in }, data other: ArrayDataset? = nil, batchSize: Int = 5,
            seed: UInt64 = 3
        ) throws -> String {
            let model = try problem.model()
            try change(model)
            let before = model.weights
            let error = #expect(throws: GraftError.self) {
                try model.fit(
                    other ?? data, batchSize: batchSize, epochs: 2, validation: problem.data(6, key: 10), seed: seed,
                    classWeights: [1: 2.5], sampleWeights: (0..<(other ?? data).count).map { 0.5 + Float($0) / 20 },
                    callbacks: [
                        ResumeProblem.Steering(), ResumeProblem.Stopper(CancellationFlag(), step: nil),
                        ResumeProblem.Teller(),
                    ],
                    options: TrainingOptions(features: .off, threads: 1), checkpoint: checkpoint)
            }
            #expect(model.weights == before)
            return (error?.message ?? "").replacing(path(), with: "FILE")
        }
        let end = "; go on with what the run was begun with, or remove the checkpoint and begin anew"
        func refusal(_ words: String) -> String { "FILE cannot be resumed: \(words)\(end)" }
        #expect(try message(batchSize: 6) == refusal("the batch size was 5 and is 6"))
        #expect(try message(seed: 4) == refusal("the seed was 3 and is 4"))
        #expect(
            try message { $0.layers[1].trainable = false }
                == refusal("the model's layers have other arguments, or other layers are frozen"))
        #expect(
            try message {
                try $0.compile(
                    optimizer: problem.makeOptimizer(), loss: .sparseCategoricalCrossentropy, metrics: [.accuracy])
            } == refusal("the list of metrics was accuracy, spread and is accuracy"))
        #expect(
            try message {
                try $0.compile(
                    optimizer: SGD(settings: OptimizerSettings(stateType: .bfloat16)),
                    loss: .sparseCategoricalCrossentropy)
            } == refusal("the kind of numbers of the optimizer's state was float32 and is bfloat16"))
        #expect(
            try message { try $0.compile(optimizer: SGD(), loss: .sparseCategoricalCrossentropy) }.hasPrefix(
                "FILE cannot be resumed: the optimizer was SGD("))
        #expect(
            try message(data: problem.data(18)).contains("the weights of classes and examples was"))
        var targets = data.targets[0].scalars
        targets[4] = 2 - targets[4]
        let relabelled = try ArrayDataset(inputs: data.inputs[0], targets: Tensor(targets, shape: [17]))
        #expect(try message(data: relabelled) == refusal("the targets of the training data are other ones"))
        var inputs = data.inputs[0].scalars
        inputs[3 * 50] += 1
        let repainted = try ArrayDataset(
            inputs: Tensor(inputs, shape: [17, 5, 5, 2]), targets: data.targets[0])
        #expect(
            try message(data: repainted)
                == refusal("1 of the 17 examples of the training data are not what they were: number 3"))
    }

    @Test(arguments: [Checkpointing.Interval.steps(0), .seconds(-1), .seconds(.nan)])
    func anIntervalOutOfRangeIsRefused(_ interval: Checkpointing.Interval) throws {
        let problem = ResumeProblem.all[0]
        #expect { try problem.fit(problem.model(), checkpoint: Checkpointing(path(), every: interval)) } throws: {
            ($0 as? GraftError)?.code == .argument
        }
    }
}

/// Some examples of which cannot be read.
private struct HolesDataset: Dataset {
    let base: ArrayDataset
    let holes: Set<Int>

    var count: Int { base.count }
    var classNames: [String]? { nil }
    var inputRule: InputRule? { nil }
    func fingerprint(of index: Int) throws -> String? { try base.fingerprint(of: index) }
    func targets(of indices: [Int]) throws -> [Tensor] { try base.targets(of: indices) }

    func batch(_ indices: [Int]) throws -> Batch {
        var batch = try base.batch(indices.filter { !holes.contains($0) })
        batch.failures = indices.filter(holes.contains).map {
            ExampleFailure(index: $0, path: "\(count)/\($0)", message: "a hole")
        }
        return batch
    }
}
