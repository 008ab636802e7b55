import Dispatch
import GraftGraph
import GraftModel
import Testing

@testable import GraftTraining

/// The bounded memory of teachers' answers.
@Suite struct DistillationMemoryTests {
    /// A row of both teachers of the problem: nine numbers.
    private static let rowByteCount = 9 * 4 + AnswersMemory.rowOverhead

    /// Room for none, for some, for all: 17 examples and 6 to validate on.
    @Test(arguments: [(5, 10), (5, 1000), (20, 6), (20, 1000)])
    func aMemoryOfAnySizeChangesNoBit(batchSize: Int, rows: Int) throws {
        var problem = DistillationProblem(batchSize: batchSize, epochs: 3)
        let plain = try problem.teach()
        problem.answersMemory = rows * Self.rowByteCount
        #expect(try problem.teach() == plain)
    }

    @Test func aTeacherIsNotRunAgainOnAnExampleThatItSaw() throws {
        let (taught, runs) = try taught(limit: 1 << 20)
        let first = try taught.batch([0, 1, 2, 3])
        #expect(runs() == 1)
        #expect(try taught.batch([3, 1, 0, 2]).targets[0] == first.targets[0].rows([3, 1, 0, 2]))
        #expect(runs() == 1)
        let mixed = try taught.batch([7, 2, 1])
        #expect(runs() == 2)
        #expect(mixed.targets[0].rows([1, 2]) == first.targets[0].rows([2, 1]))
        let (plain, _) = try self.taught(limit: nil)
        #expect(try mixed.targets == plain.batch([7, 2, 1]).targets)
        // Their numbers are those of other examples.
        var validation = taught
        validation.part = .validation
        _ = try validation.batch([0])
        #expect(runs() == 3)
    }

    @Test func theMemoryIsBoundedAndTheFirstAnswersStay() throws {
        let (taught, runs) = try taught(limit: 3 * Self.rowByteCount + 7)
        for _ in 0..<2 { _ = try taught.batch(Array(0..<8)) }
        #expect(taught.memory?.byteCount == 3 * Self.rowByteCount)
        #expect(runs() == 2)
        _ = try taught.batch([2, 0, 1])
        #expect(runs() == 2)
        _ = try taught.batch([2, 3])
        #expect(runs() == 3)
    }

    @Test func examplesThatMayChangeAreNotKept() throws {
        let (taught, runs) = try taught(limit: 1 << 20, changes: true)
        for _ in 0..<2 { _ = try taught.batch([0, 1]) }
        #expect(runs() == 2 && taught.memory?.byteCount == 0)
    }

    @Test func manyThreadsMayAsk() throws {
        let (taught, _) = try taught(limit: 9 * Self.rowByteCount)
        let (plain, _) = try self.taught(limit: nil)
        let expected = try plain.batch(Array(0..<17)).targets[0]
        DispatchQueue.concurrentPerform(iterations: 40) { iteration in
            let numbers = (0..<5).map { ($0 * 3 + iteration) % 17 }
            let answers = (try? taught.batch(numbers))?.targets.first
            #expect(answers == expected.rows(numbers))
        }
        #expect(taught.memory?.byteCount == 9 * Self.rowByteCount)
    }

    @Test func aMemoryBelowNothingIsRefused() throws {
        let error = #expect(throws: GraftError.self) { try DistillationProblem(answersMemory: -1).teach() }
        #expect(error?.code == .argument && error?.message == "answersMemory is -1 bytes; it must be 0 or more")
    }

    /// Examples with both teachers' answers by the reference interpreter, and how often the second teacher ran.
    private func taught(limit: Int?, changes: Bool = false) throws -> (TaughtExamples, () -> Int) {
        let teachers = try DistillationProblem.teachers()
        let backend = ReferenceBackend()
        var options = TrainingOptions(features: .off, threads: 1)
        options.backend = backend
        let name = try teachers[1].model.lower(batchSize: 1, training: false).inputNames[0]
        let taught = TaughtExamples(
            examples: MarredDataset(base: try DistillationProblem.examples(), changes: changes), teachers: teachers,
            batchSize: 8, options: options, memory: limit.map(AnswersMemory.init))
        let other = try teachers[0].model.lower(batchSize: 1, training: false).inputNames[0]
        let share = name == other ? 2 : 1
        return (taught, { backend.runs[name] / share })
    }
}
