import Foundation
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Teachers and students: what they are made of, and what `teach` promises.
@Suite struct DistillationTests {
    private let options = TrainingOptions(features: .off, threads: 1)
    private let folder = TemporaryFolder()

    // MARK: Teachers

    /// Means 2 and 10, variances 8/3 and 0, which counts as a millionth of both variances' mean.
    @Test func featuresAreStandardizedOnTheFirstExamples() throws {
        let inputs: [Float] = [0, 10] + [2, 10] + [4, 10] + [100, 11]
        let examples = try ArrayDataset(inputs: Tensor(inputs, shape: [4, 2]))
        let model = try identity()
        var heard: [GraftTraining.Progress] = []
        let teacher = try Teacher.features(
            of: model, standardizedOn: examples, count: 3, batchSize: 2, options: options
        ) { heard.append($0) }
        #expect(heard.map { $0.done } == [2, 3] && heard.allSatisfy { $0.total == 3 })
        let answers = try teacher.answers(to: examples.inputs, batchSize: 4, options)
        let (wide, narrow) = (Float(8.0 / 3).squareRoot(), Float(8.0 / 6 * 1e-6).squareRoot())
        let expected: [Float] = [-2 / wide, 0, 0, 0, 2 / wide, 0, 98 / wide, 1 / narrow]
        for (answer, wanted) in zip(answers.scalars, expected) {
            let bound: Float = 1e-6 * max(1, abs(wanted))
            #expect(abs(answer - wanted) <= bound, "\(answer), expected \(wanted)")
        }
    }

    @Test func examplesThatCannotBeReadDoNotCountInStatistics() throws {
        let inputs: [Float] = [0, 1] + [70, 70] + [4, 3]
        let base = try ArrayDataset(inputs: Tensor(inputs, shape: [3, 2]))
        let teacher = try Teacher.features(
            of: identity(), standardizedOn: MarredDataset(base: base, holes: [1]), options: options)
        let answers = try teacher.answers(to: base.inputs, batchSize: 4, options)
        // Means 2 and 2, deviations 2 and 1.
        #expect(Array(answers.scalars.prefix(2)) == [-1, -1] && Array(answers.scalars.suffix(2)) == [1, 1])
        let error = #expect(throws: GraftError.self) {
            try Teacher.features(
                of: identity(), standardizedOn: MarredDataset(base: base, holes: [0, 1, 2]), options: options)
        }
        #expect(
            error?.message
                == "none of the first 3 examples can be read; the teacher's features cannot be standardized")
    }

    @Test func aStopEndsTheStatistics() throws {
        let flag = CancellationFlag()
        flag.cancel()
        let options = TrainingOptions(features: .off, threads: 1, cancellation: flag)
        let examples = try ArrayDataset(inputs: Tensor(zeros: [4, 2]))
        #expect {
            try Teacher.features(of: identity(), standardizedOn: examples, options: options)
        } throws: {
            ($0 as? GraftError)?.code == .cancelled
        }
    }

    @Test func aMapIsTaughtAsItsMean() throws {
        let model = try Sequential([Conv2D(2, kernelSize: 1, useBias: false)], inputShape: [2, 2, 1])
        try model.setWeights([Tensor([1, -2], shape: [1, 1, 1, 2])])
        let teacher = try Teacher(model)
        #expect(try teacher.width == 2 && teacher.model.output.shape == [2])
        let answers = try teacher.answers(
            to: [Tensor([1, 2, 3, 6, 0, 0, 0, 4], shape: [2, 2, 2, 1])], batchSize: 2, options)
        #expect(answers.scalars == [3, -6, 1, -2])
    }

    /// In parts of a batch, the last of which is filled up.
    @Test func anAnswerDoesNotDependOnWhatElseIsAsked() throws {
        let teacher = try DistillationProblem.teachers()[0]
        let inputs = try DistillationProblem.examples(40).inputs
        let all = try teacher.answers(to: inputs, batchSize: 40, options)
        #expect(all.shape == [40, 6])
        for numbers in [[39], [3, 8, 20], Array((5..<39).reversed())] {
            let some = try teacher.answers(to: inputs.map { $0.rows(numbers) }, batchSize: 40, options)
            #expect(some == all.rows(numbers), "\(numbers)")
        }
    }

    /// Softmax of logits l gives what the classifier said; so do 0 and l for sigmoid of l.
    @Test(arguments: [true, false]) func aClassifierTeachesTheLogitsBeforeItsActivation(isPartOfDense: Bool) throws {
        let inputs = Tensor([1, -2, 0.5, 3, 0, -1], shape: [2, 3])
        for (units, activation) in [(4, ActivationFunction.softmax), (1, .sigmoid)] {
            let last: [Layer] =
                isPartOfDense ? [Dense(units, activation: activation)] : [Dense(units), Activation(activation)]
            let classifier = try Sequential([Dense(5, activation: .relu)] + last, inputShape: [3], seed: 5)
            let said = try Predictor.of(classifier).run(classifier, [inputs], batchSize: 2, options: options)[0]
            let teacher = try Teacher.classes(of: classifier, temperature: 3, weight: 2, input: 0)
            #expect(teacher.lesson == .logits(temperature: 3, weight: 2))
            let logits = try teacher.answers(to: [inputs], batchSize: 2, options)
            #expect(logits.shape == [2, max(units, 2)])
            for row in 0..<2 {
                let exponentials = (0..<logits.shape[1]).map { exp(Double(logits[row * logits.shape[1] + $0])) }
                let probabilities = exponentials.map { $0 / exponentials.reduce(0, +) }
                let expected = (0..<units).map { Double(said[row * units + $0]) }
                // 32-bit logits of about 1: their exponentials are within 1e-6.
                for (received, wanted) in zip(probabilities.suffix(units), expected) {
                    #expect(abs(received - wanted) < 1e-6, "\(activation)")
                }
            }
        }
    }

    @Test func logitsAreTaughtAsTheyAreAndFeaturesAreNoClasses() throws {
        let logits = try Sequential([Dense(3, name: "last")], inputShape: [2])
        #expect(try Teacher.classes(of: logits).model === logits)
        for layer in [Dense(3, activation: .relu), Dense(1), Dense(3, activation: .sigmoid)] {
            let model = try Sequential([layer], inputShape: [2])
            let error = #expect(throws: GraftError.self) { try Teacher.classes(of: model) }
            #expect(error?.code == .argument && error?.message.hasSuffix("; teach features") == true)
        }
        let map = try Sequential([Conv2D(3, kernelSize: 1)], inputShape: [2, 2, 1])
        let error = #expect(throws: GraftError.self) { try Teacher.classes(of: map) }
        #expect(error?.message.hasSuffix("gives (2, 2, 3) for an example; a classifier gives one vector") == true)
    }

    // MARK: Students

    @Test func theTraineeIsTheStudentWithALessonForEachTeacher() throws {
        let student = try DistillationProblem().student()
        let alone = try DistillationProblem().student()
        let trainee = try Distillation(from: DistillationProblem.teachers()).trainee(of: student)
        #expect(try trainee.output.shape == [9])
        #expect(trainee.variables.prefix(student.variables.count) == student.variables[...])
        let paths = trainee.variables.dropFirst(student.variables.count).map(\.path)
        #expect(paths == ["lesson_0/kernel", "lesson_0/bias", "lesson_1/kernel", "lesson_1/bias"])
        // It begins as it would alone.
        #expect(student.weights == alone.weights)
    }

    @Test func aLayerThatIsCalledAsALessonIsRefused() throws {
        let student = try Sequential([Dense(2, name: "lesson_0")], inputShape: [2])
        let distillation = try Distillation(from: [Teacher(identity())])
        let error = #expect(throws: GraftError.self) { try distillation.trainee(of: student) }
        #expect(error?.message.contains("lesson_0") == true)
    }

    /// On examples that neither saw: what the student does not explain of the teachers' features falls to a third.
    @Test func theStudentsFeaturesGetCloserToTheTeachers() throws {
        let student = try Sequential(
            [Conv2D(16, kernelSize: 3, strides: 2), BatchNormalization(momentum: 0.9), Activation(.relu)],
            inputShape: [8, 8, 3], seed: 1)
        let teacher = try DistillationProblem.teachers()[0]
        let history = try Distillation(from: [teacher]).teach(
            student, with: DistillationProblem.examples(160, key: 1), batchSize: 16, epochs: 15,
            optimizer: AdamW(learningRate: 0.01), validation: DistillationProblem.examples(80, key: 2),
            options: options,
            teacherPrecision: .float32)
        let losses = history["val_loss"]
        let (first, last) = try (#require(losses.first), #require(losses.last))
        #expect(last < first / 3, "\(losses)")
        // A student that says the same of every image pays 1 for the cosine and 1 for the variance.
        #expect(last < 0.5, "\(losses)")
    }

    @Test func frozenLayersOfTheStudentStayAndTheOthersMove() throws {
        var problem = DistillationProblem()
        let begin = try problem.student().variables.map { ResumeProblem.Run.bits($0.value) }
        problem.freezesFirstLayer = true
        let end = try problem.teach().variables
        // kernel and bias of the first; gamma, beta, mean and variance; kernel and bias of the second.
        #expect(end[0] == begin[0] && end[1] == begin[1])
        #expect((2..<8).allSatisfy { end[$0] != begin[$0] })
        // Features of frozen layers are kept nowhere, whatever is asked for.
        problem.features = .temporary
        #expect(try problem.teach().variables == end)
    }

    // MARK: Runs

    @Test func equalRunsGiveEqualBits() throws {
        let problem = DistillationProblem()
        let run = try problem.teach()
        #expect(try problem.teach() == run)
        #expect(run.figures.keys.sorted() == ["loss", "val_loss"])
    }

    @Test func theStudentKnowsHowImagesBecomeItsInput() throws {
        let rule = ImageRule(height: 8, width: 8)
        let inputs = try DistillationProblem.examples().inputs
        let (student, examples) = (
            try DistillationProblem().student(), try ArrayDataset(inputs: inputs, inputRule: .image(rule))
        )
        try Distillation(from: DistillationProblem.teachers()).teach(
            student, with: examples, optimizer: AdamW(), options: options)
        #expect(try student.metadata.inputRule == .image(rule))
    }

    @Test func examplesThatCannotBeReadAreLeftOut() throws {
        let base = try DistillationProblem.examples()
        let marred = MarredDataset(base: base, holes: [0, 4, 11])
        let student = try DistillationProblem().student()
        let history = try Distillation(from: DistillationProblem.teachers()).teach(
            student, with: marred, batchSize: 5, epochs: 2, optimizer: AdamW(), options: options)
        #expect(history.exampleCount == 14)
        #expect(Set(history.failures.map(\.index)) == [0, 4, 11])
        let none = MarredDataset(base: base, holes: Set(0..<17))
        let error = #expect(throws: GraftError.self) {
            try Distillation(from: DistillationProblem.teachers()).teach(
                student, with: none, batchSize: 5, optimizer: AdamW(), options: options)
        }
        #expect(error?.code == .data)
    }

    @Test func anInputThatIsNotThereIsRefusedBeforeTheFirstStep() throws {
        let losses = StepLosses()
        let examples = try ArrayDataset(inputs: DistillationProblem.examples().inputs[0])
        let error = #expect(throws: GraftError.self) {
            try Distillation(from: DistillationProblem.teachers()).teach(
                DistillationProblem().student(), with: examples, optimizer: AdamW(), callbacks: [losses],
                options: options)
        }
        #expect(error?.code == .data && losses.values.isEmpty)
        #expect(
            error?.message.hasSuffix("sees input 1 of an example, and examples have 1") == true,
            "\(String(describing: error))")
    }

    /// Killed after any step, or after any epoch: what a killed process leaves is the checkpoint that it last wrote.
    @Test(arguments: [0, 1 << 20]) func killedAfterAnyStepAndResumedGivesTheSameBits(answersMemory: Int) throws {
        let problem = DistillationProblem(answersMemory: answersMemory)
        let plain = try problem.teach()
        let every = EveryCheckpoint(folder.path)
        #expect(try problem.teach(checkpoint: Checkpointing(storage: every, every: .steps(1))) == plain)
        // Four steps and an end an epoch.
        try #require(every.paths.count == 5 * problem.epochs)
        for path in every.paths {
            #expect(try problem.teach(checkpoint: Checkpointing(path, every: .never)) == plain, "\(path)")
        }
    }

    @Test func stoppedByWishAndResumedGivesTheSameBits() throws {
        let problem = DistillationProblem()
        let plain = try problem.teach()
        for step in [1, 4, 6] {
            let checkpoint = Checkpointing(folder.path + "/\(step).checkpoint", every: .never)
            let stopped = try problem.teach(checkpoint: checkpoint, cancelAfter: step)
            #expect(stopped.isInterrupted)
            #expect(try problem.teach(checkpoint: checkpoint) == plain, "after step \(step)")
        }
    }

    // MARK: Helpers

    private func identity() throws -> Model {
        let model = try Sequential([Dense(2, useBias: false)], inputShape: [2])
        try model.setWeights([Tensor([1, 0, 0, 1], shape: [2, 2])])
        return model
    }
}
