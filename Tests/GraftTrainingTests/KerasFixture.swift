import Foundation
import GraftGraph
import Testing

@testable import GraftTraining

/// Values that Keras computed: `Tests/Keras/training.py` writes them.
struct KerasFixture: Decodable {
    struct OptimizerCase: Decodable, Sendable, CustomTestStringConvertible {
        let optimizer: String
        let arguments: [String: Argument]
        let start: [Float]
        let gradients: [[Float]]
        let values: [[Float]]
        var testDescription: String { "\(optimizer) \(arguments)" }
    }

    struct LossCase: Decodable, Sendable, CustomTestStringConvertible {
        let loss: String
        let arguments: [String: Argument]
        let activation: String
        let shape: [Int]
        let inputs: [Float]
        let targetShape: [Int]
        let targets: [Float]
        let value: Double
        let gradient: [Float]
        var testDescription: String { "\(loss) \(arguments) of \(activation)" }
    }

    struct HeadCase: Decodable, Sendable, CustomTestStringConvertible {
        let optimizer: String
        let arguments: [String: Argument]
        let loss: String
        let activation: String
        let units: Int
        let inputs: [Float]
        let targets: [Float]
        let start: [[Float]]
        let losses: [Double]
        let evaluation: [String: Double]
        let predictions: [Float]
        var testDescription: String { "\(optimizer) with \(loss)" }
    }

    struct NetworkCase: Decodable, Sendable, CustomTestStringConvertible {
        let inputs: [Float]
        let targets: [Float]
        let start: [[Float]]
        let history: [String: [Double]]
        let end: [[Float]]
        var testDescription: String { "a convolutional network with batch normalization" }
    }

    enum Argument: Decodable, Sendable, CustomStringConvertible {
        case number(Float)
        case flag(Bool)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else {
                self = .number(try container.decode(Float.self))
            }
        }

        var number: Float? { if case .number(let number) = self { number } else { nil } }
        var flag: Bool { if case .flag(let flag) = self { flag } else { false } }
        var description: String { number.map { String($0) } ?? String(flag) }
    }

    let optimizers: [OptimizerCase]
    let losses: [LossCase]
    let heads: [HeadCase]
    let networks: [NetworkCase]

    static let shared: KerasFixture = {
        do {
            let file = try #require(Bundle.module.url(forResource: "Fixtures/training", withExtension: "json"))
            return try JSONDecoder().decode(KerasFixture.self, from: Data(contentsOf: file))
        } catch {
            Issue.record("the fixture cannot be read: \(error)")
            return KerasFixture(optimizers: [], losses: [], heads: [], networks: [])
        }
    }()
}

/// The optimizer that Keras's name and arguments mean.
func makeOptimizer(_ name: String, _ arguments: [String: KerasFixture.Argument]) throws -> any Optimizer {
    func number(_ name: String, _ value: Float) -> Float { arguments[name]?.number ?? value }
    func flag(_ name: String) -> Bool { arguments[name]?.flag ?? false }
    switch name {
    case "SGD":
        return SGD(
            learningRate: number("learning_rate", 0.01), momentum: number("momentum", 0), nesterov: flag("nesterov"))
    case "RMSprop":
        return RMSprop(
            learningRate: number("learning_rate", 0.001), rho: number("rho", 0.9), momentum: number("momentum", 0),
            epsilon: number("epsilon", 1e-7), centered: flag("centered"))
    case "Adam":
        return Adam(
            learningRate: number("learning_rate", 0.001), beta1: number("beta_1", 0.9), beta2: number("beta_2", 0.999),
            epsilon: number("epsilon", 1e-7))
    default: throw GraftError(.argument, "no optimizer \(name)")
    }
}

/// The loss that Keras's name and arguments mean.
func makeLoss(_ name: String, _ arguments: [String: KerasFixture.Argument] = [:]) throws -> Loss {
    let fromLogits = arguments["from_logits"]?.flag ?? false
    let smoothing = arguments["label_smoothing"]?.number ?? 0
    switch name {
    case "BinaryCrossentropy": return .binaryCrossentropy(fromLogits: fromLogits, labelSmoothing: smoothing)
    case "CategoricalCrossentropy": return .categoricalCrossentropy(fromLogits: fromLogits, labelSmoothing: smoothing)
    case "SparseCategoricalCrossentropy": return .sparseCategoricalCrossentropy(fromLogits: fromLogits)
    case "MeanSquaredError": return .meanSquaredError
    default: throw GraftError(.argument, "no loss \(name)")
    }
}
