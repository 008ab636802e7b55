import Foundation
import GraftGraph
import GraftModel
import Testing

@testable import GraftTraining

/// What lessons cost, in numbers done by hand, and what is refused.
@Suite struct DistillationLossTests {
    /// In 64 bits, from inputs and weights of 32.
    private let rounding = 1e-7

    // MARK: By hand

    @Test func featuresCostTheCosinesDistanceAndTheMeanSquaredError() throws {
        // cos = (3·4 + 4·3) / (5·5) = 0.96; ((−1)² + 1²) / 2 = 1.
        let (p, t): ([Float], [Float]) = ([3, 4], [4, 3])
        #expect(try abs(loss(.features(cosine: 1, squaredError: 0), p, t) - 0.04) < rounding)
        #expect(try abs(loss(.features(cosine: 0, squaredError: 1), p, t) - 1) < rounding)
        #expect(try abs(loss(.features(cosine: 2, squaredError: 0.5), p, t) - 0.58) < rounding)
        #expect(try abs(loss(.features(), p, t) - 1.04) < rounding)
    }

    @Test func theCosineSeesDirectionsAlone() throws {
        let cosine = Teacher.Lesson.features(cosine: 1, squaredError: 0)
        #expect(try abs(loss(cosine, [1, 0], [0, 2]) - 1) < rounding)
        #expect(try abs(loss(cosine, [1, 2], [10, 20])) < rounding)
        #expect(try abs(loss(cosine, [1, 2], [-3, -6]) - 2) < rounding)
        // Where there is no direction, neither near nor far.
        #expect(try loss(cosine, [0, 0], [3, 4]) == 1)
    }

    @Test func logitsCostTheDivergenceOfSoftenedProbabilities() throws {
        // At T = 2 the teacher says ¾ and ¼, the student ½ and ½: KL = ¾ ln (3/2) + ¼ ln (1/2).
        let teacher: [Float] = [2 * Float(log(3.0)), 0]
        let divergence = 0.75 * log(1.5) + 0.25 * log(0.5)
        let soft = Teacher.Lesson.logits(temperature: 2)
        #expect(try abs(loss(soft, [0, 0], teacher) - 4 * divergence) < 1e-6)
        #expect(try abs(loss(.logits(temperature: 2, weight: 0.5), [0, 0], teacher) - 2 * divergence) < 1e-6)
        // At T = 1 it says 9/10 and 1/10.
        let sharp = 0.9 * log(1.8) + 0.1 * log(0.2)
        #expect(try abs(loss(.logits(), [0, 0], teacher) - sharp) < 1e-6)
        // A constant on all logits says nothing.
        #expect(try abs(loss(soft, [teacher[0] + 5, 5], teacher)) < 1e-6)
    }

    /// Logits far apart, whose probabilities are 0 in 32 bits.
    @Test func logitsOfAnySizeCostAFiniteNumber() throws {
        #expect(try abs(loss(.logits(), [-500, 500], [500, -500]) - 1000) < 1e-6)
    }

    @Test func severalTeachersStandSideBySide() throws {
        let distillation = try Distillation(from: [
            teacher(2, .features(cosine: 0, squaredError: 1)), teacher(2, .features(cosine: 1, squaredError: 0)),
            teacher(1, .features(cosine: 0, squaredError: 3)),
        ])
        let answers: [Float] = [1, 2, 3, 4, 5] + [0, 0, 1, 0, 1]
        let targets: [Float] = [3, 2, 4, 3, 4] + [0, 0, 0, 1, 1]
        // (2² + 0) / 2 + (1 − 0.96) + 3 · 1² = 5.04; 0 + 1 + 0.
        let losses = try perExample(distillation.loss, answers, targets, width: 5)
        #expect(abs(losses[0] - 5.04) < rounding && abs(losses[1] - 1) < rounding, "\(losses)")
    }

    /// Central differences in 64 bits with a step of 1e-6, as for the other losses; these have no kinks.
    @Test func theGradientEqualsFiniteDifferences() throws {
        let distillation = try Distillation(from: [
            teacher(3, .features(cosine: 0.7, squaredError: 0.4)), teacher(4, .logits(temperature: 2.5, weight: 1.5)),
        ])
        let random = RandomStream(key: 3, stream: 1)
        let shape: Shape = [3, 7]
        let targets = Tensor((0..<21).map { random.uniform(at: $0) * 4 - 2 }, shape: shape)
        let scope = GraphScope()
        let source = try scope.input("source", shape)
        let mean = try distillation.loss.mean(source, scope.constant(targets))
        let gradients = try scope.graph.gradients(of: mean.id, withRespectTo: [source.id])
        scope.graph.outputs = [mean.id] + gradients
        let graph = scope.graph
        func results(_ point: ReferenceArray) throws -> [ReferenceArray] {
            try Interpreter.run(graph, inputs: ["source": point]).outputs
        }
        let point = ReferenceArray(Tensor((0..<21).map { random.uniform(at: 100 + $0) * 4 - 2 }, shape: shape))
        let gradient = try results(point)[1].values
        let scale = try #require(gradient.map(abs).max())
        #expect(scale > 0.01)
        for index in point.values.indices {
            var (left, right) = (point, point)
            left.values[index] -= 1e-6
            right.values[index] += 1e-6
            let slope = try (results(right)[0].values[0] - results(left)[0].values[0]) / 2e-6
            #expect(abs(slope - gradient[index]) <= 1e-6 * scale, "element \(index): \(slope), \(gradient[index])")
        }
    }

    // MARK: Refusals

    struct Refusal: CustomTestStringConvertible {
        let testDescription: String
        let lesson: Teacher.Lesson
        let message: String
    }

    static let refusals = [
        Refusal(
            testDescription: "a weight below 0", lesson: .features(cosine: -1),
            message: "the weight of the cosine of a lesson is -1.0; it must be at least 0.0"),
        Refusal(
            testDescription: "no number", lesson: .features(squaredError: .nan),
            message: "the weight of the squared error of a lesson is nan; it must be at least 0.0"),
        Refusal(
            testDescription: "no weight at all", lesson: .features(cosine: 0, squaredError: 0),
            message: "the sum of both weights of a lesson is 0.0; it must be above 0"),
        Refusal(
            testDescription: "a temperature of 0", lesson: .logits(temperature: 0),
            message: "the temperature of a lesson is 0.0; it must be above 0"),
        Refusal(
            testDescription: "an infinite temperature", lesson: .logits(temperature: .infinity),
            message: "the temperature of a lesson is inf; it must be above 0"),
        Refusal(
            testDescription: "a weight of logits of 0", lesson: .logits(weight: 0),
            message: "the weight of a lesson is 0.0; it must be above 0"),
    ]

    @Test(arguments: refusals)
    func weightsThatAreNotPositiveAreRefused(_ refusal: Refusal) throws {
        let error = #expect(throws: GraftError.self) { try teacher(2, refusal.lesson) }
        #expect(error?.code == .argument && error?.message == refusal.message)
    }

    @Test func noTeacherIsRefused() {
        let error = #expect(throws: GraftError.self) { try Distillation(from: []) }
        #expect(error?.code == .argument && error?.message == "there is no teacher; a student needs at least one")
    }

    @Test func networksOfAnotherFormAreRefused() throws {
        let image = Input(shape: [4])
        let outputs = [try Dense(2)(image), try Dense(3)(image)]
        let two = try Model(inputs: image, outputs: outputs, name: "two")
        let sequence = try Model(
            inputs: image, outputs: try Reshape([2, 2])(image), name: "sequence")
        let distillation = try Distillation(from: [teacher(2)])
        func message(_ work: () throws -> Void) -> String? {
            let error = #expect(throws: GraftError.self, performing: work)
            #expect(error?.code == .argument)
            return error?.message
        }
        #expect(
            message { _ = try Teacher(two) } == "the teacher two has 1 inputs and 2 outputs; a teacher has one of each")
        #expect(
            message { _ = try Teacher(sequence) }
                == "the teacher sequence gives (2, 2) for an example; a teacher gives a vector, or a map of (height, width, "
                + "channels)")
        #expect(
            message { _ = try distillation.trainee(of: two) } == "the student two has 2 outputs; a student has one")
        #expect(
            message { _ = try distillation.trainee(of: sequence) }
                == "the student sequence gives (2, 2) for an example; a student gives a vector, or a map of (height, "
                + "width, channels)")
    }

    // MARK: Helpers

    private func teacher(_ width: Int, _ lesson: Teacher.Lesson = .features()) throws -> Teacher {
        try Teacher(Sequential([Dense(width)], inputShape: [2]), lesson: lesson)
    }

    /// What one example costs.
    private func loss(_ lesson: Teacher.Lesson, _ answer: [Float], _ target: [Float]) throws -> Double {
        let distillation = try Distillation(from: [teacher(answer.count, lesson)])
        return try perExample(distillation.loss, answer, target, width: answer.count)[0]
    }

    private func perExample(_ loss: Loss, _ answers: [Float], _ targets: [Float], width: Int) throws -> [Double] {
        let (scope, shape) = (GraphScope(), Shape([answers.count / width, width]))
        let losses = try loss.perExample(
            scope.constant(Tensor(answers, shape: shape)), scope.constant(Tensor(targets, shape: shape)))
        scope.graph.outputs = [losses.id]
        return try Interpreter.run(scope.graph).outputs[0].values
    }
}
