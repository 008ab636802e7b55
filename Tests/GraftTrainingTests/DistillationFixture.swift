import Foundation
import GraftGraph
import GraftModel
import KerasFixtures
import Testing

@testable import GraftTraining

/// Twelve steps of a small student of two teachers that Keras computed: `Tests/Keras/distillation.py` writes them.
struct DistillationFixture: Decodable {
    struct Lessons: Decodable {
        let cosine: Float
        let squaredError: Float
        let temperature: Float
        let weight: Float
    }

    struct Run: Decodable, Sendable, CustomTestStringConvertible {
        let optimizer: String
        let arguments: [String: KerasFixture.Argument]
        let start: [[Float]]
        let losses: [Double]
        let heldOut: Double
        var testDescription: String { "\(optimizer) \(arguments)" }
    }

    static let learnedCount = 12
    static let batchSize = 5
    static let epochs = 4

    let lessons: Lessons
    /// Both inputs of all examples.
    let inputs: [[Float]]
    /// The teachers' weights.
    let teachers: [[[Float]]]
    /// What both say of all examples, side by side.
    let answers: [Float]
    let runs: [Run]

    static let shared: DistillationFixture = {
        do {
            let file = try #require(Bundle.module.url(forResource: "Fixtures/distillation", withExtension: "json"))
            return try JSONDecoder().decode(DistillationFixture.self, from: Data(contentsOf: file))
        } catch {
            Issue.record("the fixture cannot be read: \(error)")
            let none = Lessons(cosine: 1, squaredError: 1, temperature: 1, weight: 1)
            return DistillationFixture(lessons: none, inputs: [], teachers: [], answers: [], runs: [])
        }
    }()

    /// All examples, or those of a range.
    func examples(_ range: Range<Int>? = nil) throws -> ArrayDataset {
        let shapes: [Shape] = [[8, 8, 3], [5, 5, 3]]
        return try ArrayDataset(
            inputs: zip(inputs, shapes).map { values, shape in
                let whole = Tensor(values, shape: shape.inBatch(of: values.count / shape.elementCount))
                return range.map { whole.rows(Array($0)) } ?? whole
            })
    }

    /// Both teachers, the first standardized on the examples that are learned.
    func makeTeachers(_ options: TrainingOptions) throws -> [Teacher] {
        let features = try Sequential([Conv2D(4, kernelSize: 3, strides: 2, activation: .relu)], inputShape: [8, 8, 3])
        let logits = try Sequential(
            [Conv2D(6, kernelSize: 3, activation: .relu), Flatten(), Dense(3)], inputShape: [5, 5, 3])
        for (model, weights) in zip([features, logits], teachers) {
            try model.setWeights(zip(weights, model.variables).map { Tensor($0, shape: $1.shape) })
        }
        return [
            try Teacher.features(
                of: features, standardizedOn: examples(0..<Self.learnedCount),
                lesson: .features(cosine: lessons.cosine, squaredError: lessons.squaredError), options: options),
            try Teacher(
                logits, lesson: .logits(temperature: lessons.temperature, weight: lessons.weight), input: 1),
        ]
    }

    /// The student, which gives a map.
    static func makeStudent() throws -> Model {
        try Sequential(
            [
                Conv2D(6, kernelSize: 3, strides: 2, useBias: false), BatchNormalization(momentum: 0.9),
                Activation(.relu),
            ], inputShape: [8, 8, 3])
    }
}
