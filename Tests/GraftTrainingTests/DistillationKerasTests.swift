import GraftGraph
import GraftModel
import GraftTestSupport
import KerasFixtures
import Testing

@testable import GraftTraining

/// Distillation beside the same in Keras.
@Suite struct DistillationKerasTests {
    private let fixture = DistillationFixture.shared
    private let options = TrainingOptions(features: .off, threads: 1)

    /// Float32 in another order: sums of at most 96 products, divided by deviations of about 0.2.
    @Test func theTeachersAnswersEqualKeras() throws {
        let teachers = try fixture.makeTeachers(options)
        let inputs = try fixture.examples().inputs
        let parts = try teachers.map { try $0.answers(to: inputs, batchSize: 5, options) }
        let joined = Tensor.joiningRows(of: parts)
        expectClose(joined.scalars, fixture.answers, tolerance: 1e-5, "the teachers' answers")
    }

    /// Each of twelve steps within 1e-4 relative, as for the other training steps (Documentation/Numerics.md): differences
    /// of 1e-6 between sums in another order grow from step to step, with AdamW above all, which divides by small numbers.
    @Test(arguments: DistillationFixture.shared.runs)
    func twelveStepsEqualKeras(_ expected: DistillationFixture.Run) throws {
        let distillation = try Distillation(from: fixture.makeTeachers(options))
        let trainee = try distillation.trainee(of: DistillationFixture.makeStudent())
        try trainee.setWeights(zip(expected.start, trainee.variables).map { Tensor($0, shape: $1.shape) })
        let losses = StepLosses()
        let history = try distillation.teach(
            trainee: trainee, with: fixture.examples(0..<DistillationFixture.learnedCount),
            batchSize: DistillationFixture.batchSize, epochs: DistillationFixture.epochs,
            optimizer: makeOptimizer(expected.optimizer, expected.arguments),
            validation: fixture.examples(DistillationFixture.learnedCount..<17), shuffle: false, callbacks: [losses],
            options: options, teacherPrecision: .float32)
        #expect(losses.values.count == 12 && expected.losses.count == 12)
        for (step, (loss, wanted)) in zip(losses.values, expected.losses).enumerated() {
            #expect(abs(loss - wanted) <= 1e-4 * wanted, "step \(step + 1): \(loss), expected \(wanted)")
        }
        let heldOut = try #require(history["val_loss"].last)
        #expect(abs(heldOut - expected.heldOut) <= 1e-4 * expected.heldOut, "\(heldOut)")
    }
}

/// The loss of every step.
final class StepLosses: Callback {
    private(set) var values: [Double] = []

    func handle(_ event: TrainingEvent, in run: TrainingRun) {
        if case .step(let report) = event { values.append(report.loss) }
    }
}
