import Foundation
import GraftGraph
import Testing

@testable import GraftTraining

/// Values that Keras computed: `Tests/Keras/learning.py` writes them.
struct LearningFixture: Decodable {
    typealias Arguments = [String: KerasFixture.Argument]

    struct OptimizerCase: Decodable, Sendable, CustomTestStringConvertible {
        let optimizer: String
        let arguments: Arguments
        let exclude: [String]?
        let schedule: ScheduleArguments?
        /// After each step, the kernel and the bias.
        let values: [[[Float]]]
        let averages: [[Float]]?
        var testDescription: String { "\(optimizer) \(arguments)" }
    }

    struct ScheduleArguments: Decodable, Sendable {
        let name: String
        let arguments: Arguments
    }

    struct ScheduleCase: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let arguments: Arguments
        let values: [Float]
        var testDescription: String { "\(name) \(arguments)" }
    }

    struct Batches: Decodable, Sendable {
        let kind: String
        let predictions: [[Float]]
        let predictionShapes: [[Int]]
        let targets: [[Float]]
        let targetShapes: [[Int]]
    }

    struct MetricCase: Decodable, Sendable, CustomTestStringConvertible {
        let metric: String
        let arguments: Arguments
        let batches: String
        /// After each batch.
        let values: [Double]
        var testDescription: String { "\(metric) \(arguments) of \(batches)" }
    }

    struct FitCase: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let inputs: [Float]
        let targets: [Float]
        let weights: [Float]?
        let start: [[Float]]
        let losses: [Double]
        let evaluation: Double
        let values: [[Float]]
        var testDescription: String { name }
    }

    let gradients: [[[Float]]]
    let optimizers: [OptimizerCase]
    let schedules: [ScheduleCase]
    let losses: [KerasFixture.LossCase]
    let batches: [Batches]
    let metrics: [MetricCase]
    let fits: [FitCase]

    static let shared: LearningFixture = {
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
