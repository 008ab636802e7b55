import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Views of examples, and mixtures of them.
@Suite struct DistillationViewTests {
    private let options = TrainingOptions(features: .off, threads: 1)
    private let folder = TemporaryFolder()

    private func taught(
        _ examples: any Dataset, mixUp: MixUp? = nil, memory: AnswersMemory? = nil
    ) throws -> TaughtExamples {
        TaughtExamples(
            examples: examples, teachers: try DistillationProblem.teachers(), batchSize: 8, options: options,
            mixing: mixUp.map { BatchMixing(mixUp: $0, seed: 5) }, memory: memory)
    }

    private func viewed(_ views: Int) throws -> ShiftedViews {
        ShiftedViews(base: try DistillationProblem.examples(), views: views)
    }

    /// Student and teachers see the view that the epoch draws, and a memory knows one from another.
    @Test func eachEpochIsTaughtItsView() throws {
        let examples = try viewed(3)
        let taught = try taught(examples, memory: AnswersMemory(limit: 1 << 20))
        #expect(taught.views == 3 && taught.count == 17)
        let first = try taught.batch([2, 4])
        let second = try taught.batch([17 + 2, 17 + 4])
        #expect(try second.inputs[0] == examples.batch([19, 21]).inputs[0])
        #expect(second.targets != first.targets)
        #expect(try taught.batch([19, 2]).targets[0].rows([1, 0]) == taught.batch([2, 19]).targets[0])
        var problem = DistillationProblem(epochs: 5)
        let plain = try problem.teach(examples)
        problem.answersMemory = 1 << 20
        #expect(try problem.teach(examples) == plain)
        #expect(try problem.teach(viewed(1)).variables != plain.variables)
    }

    /// λ · x + (1 − λ) · partner in both sizes alike, and the answers are those to the mixture.
    @Test func studentAndTeachersSeeTheSameMixture() throws {
        let examples = try DistillationProblem.examples()
        let (plain, mixUp) = (try taught(examples), try MixUp(alpha: 1))
        let numbers = [3, 8, 1, 16]
        let mixed = try taught(examples, mixUp: mixUp).batch(numbers)
        #expect(mixed.indices == numbers)
        let mixing = mixUp.mixing(of: numbers, seed: 5, epoch: 0)
        var inputs = try examples.batch(numbers).inputs
        for position in inputs.indices { mixing.mix(&inputs[position]) }
        #expect(mixed.inputs == [inputs[0]])
        #expect(try mixed.inputs != plain.batch(numbers).inputs)
        let answers = try plain.teachers.map { try $0.answers(to: inputs, batchSize: 8, options) }
        #expect(mixed.targets == [Tensor.joiningRows(of: answers)])
    }

    @Test func eachEpochHasMixturesOfItsOwn() throws {
        for views in [1, 2] {
            let mixed = try taught(viewed(views), mixUp: MixUp(alpha: 1))
            #expect(mixed.views == views << 16)
            let batches = try (0..<4).map { epoch in try mixed.batch([0, 1, 2].map { epoch * 17 + $0 }) }
            for (epoch, batch) in batches.enumerated() {
                #expect(batch.indices == [0, 1, 2].map { epoch * 17 + $0 })
                #expect(!batches.prefix(epoch).contains { $0.inputs == batch.inputs })
            }
            #expect(try mixed.fingerprint(of: 17 * views + 3) == mixed.fingerprint(of: 3))
        }
    }

    @Test func mixedExamplesThatCannotBeReadAreLeftOut() throws {
        let marred = MarredDataset(base: try DistillationProblem.examples(), holes: [1, 2])
        let batch = try taught(marred, mixUp: MixUp(alpha: 1)).batch([17, 18, 20])
        #expect(batch.indices == [17, 20] && batch.failures.map(\.index) == [1])
        #expect(batch.inputs[0].shape[0] == 2 && batch.targets[0].shape == [2, 9])
    }

    @Test func aMixedRunIsResumedToTheSameBitsAndValidationIsNotMixed() throws {
        var problem = DistillationProblem()
        let unmixed = try problem.teach()
        problem.mixUp = try MixUp(alpha: 1)
        let plain = try problem.teach()
        #expect(plain.variables != unmixed.variables)
        for step in [2, 5] {
            let checkpoint = Checkpointing(folder.path + "/\(step).checkpoint", every: .never)
            #expect(try problem.teach(checkpoint: checkpoint, cancelAfter: step).isInterrupted)
            #expect(try problem.teach(checkpoint: checkpoint) == plain, "after step \(step)")
        }
        // With answers kept for validation alone.
        problem.answersMemory = 1 << 20
        #expect(try problem.teach() == plain)
    }
}
