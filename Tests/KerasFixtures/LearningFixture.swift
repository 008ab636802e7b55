import Foundation
import GraftGraph
import GraftLearning
import Testing

/// Values that Keras computed: `Tests/Keras/learning.py` writes them.
package struct LearningFixture: Decodable {
    package typealias Arguments = [String: KerasFixture.Argument]

    package struct OptimizerCase: Decodable, Sendable, CustomTestStringConvertible {
        package let optimizer: String
        package let arguments: Arguments
        package let exclude: [String]?
        package let schedule: ScheduleArguments?
        /// After each step, the kernel and the bias.
        package let values: [[[Float]]]
        package let averages: [[Float]]?
        package var testDescription: String { "\(optimizer) \(arguments)" }
    }

    package struct ScheduleArguments: Decodable, Sendable {
        package let name: String
        package let arguments: Arguments
    }

    package struct ScheduleCase: Decodable, Sendable, CustomTestStringConvertible {
        package let name: String
        package let arguments: Arguments
        package let values: [Float]
        package var testDescription: String { "\(name) \(arguments)" }
    }

    package struct Batches: Decodable, Sendable {
        package let kind: String
        package let predictions: [[Float]]
        package let predictionShapes: [[Int]]
        package let targets: [[Float]]
        package let targetShapes: [[Int]]
    }

    package struct MetricCase: Decodable, Sendable, CustomTestStringConvertible {
        package let metric: String
        package let arguments: Arguments
        package let batches: String
        /// After each batch.
        package let values: [Double]
        package var testDescription: String { "\(metric) \(arguments) of \(batches)" }
    }

    package struct FitCase: Decodable, Sendable, CustomTestStringConvertible {
        package let name: String
        package let inputs: [Float]
        package let targets: [Float]
        package let weights: [Float]?
        package let start: [[Float]]
        package let losses: [Double]
        package let evaluation: Double
        package let values: [[Float]]
        package var testDescription: String { name }
    }

    package let gradients: [[[Float]]]
    package let optimizers: [OptimizerCase]
    package let schedules: [ScheduleCase]
    package let losses: [KerasFixture.LossCase]
    package let batches: [Batches]
    package let metrics: [MetricCase]
    package let fits: [FitCase]

    package static let shared: LearningFixture = {
        do {
            let file = try #require(Bundle.module.url(forResource: "Fixtures/learning", withExtension: "json"))
            return try JSONDecoder().decode(LearningFixture.self, from: Data(contentsOf: file))
        } catch {
            Issue.record("the fixture cannot be read: \(error)")
            return LearningFixture(
                gradients: [], optimizers: [], schedules: [], losses: [], batches: [], metrics: [], fits: [])
        }
    }()
}
