import Foundation
import GraftGraph
import GraftLearning
import Testing

/// Values that Keras computed: `Tests/Keras/training.py` writes them.
package struct KerasFixture: Decodable {
    package struct OptimizerCase: Decodable, Sendable, CustomTestStringConvertible {
        package let optimizer: String
        package let arguments: [String: Argument]
        package let start: [Float]
        package let gradients: [[Float]]
        package let values: [[Float]]
        package var testDescription: String { "\(optimizer) \(arguments)" }
    }

    package struct LossCase: Decodable, Sendable, CustomTestStringConvertible {
        package let loss: String
        package let arguments: [String: Argument]
        package let activation: String
        package let shape: [Int]
        package let inputs: [Float]
        package let targetShape: [Int]
        package let targets: [Float]
        package let value: Double
        package let gradient: [Float]
        package var testDescription: String { "\(loss) \(arguments) of \(activation)" }
    }

    package struct HeadCase: Decodable, Sendable, CustomTestStringConvertible {
        package let optimizer: String
        package let arguments: [String: Argument]
        package let loss: String
        package let activation: String
        package let units: Int
        package let inputs: [Float]
        package let targets: [Float]
        package let start: [[Float]]
        package let losses: [Double]
        package let evaluation: [String: Double]
        package let predictions: [Float]
        package var testDescription: String { "\(optimizer) with \(loss)" }
    }

    package struct NetworkCase: Decodable, Sendable, CustomTestStringConvertible {
        package let inputs: [Float]
        package let targets: [Float]
        package let start: [[Float]]
        package let history: [String: [Double]]
        package let end: [[Float]]
        package var testDescription: String { "a convolutional network with batch normalization" }
    }

    package struct ConstrainedCase: Decodable, Sendable, CustomTestStringConvertible {
        /// The model as Keras serializes it.
        package let config: Configuration
        package let inputs: [Float]
        package let targets: [Float]
        package let start: [[Float]]
        package let history: [String: [Double]]
        package let end: [[Float]]
        package var testDescription: String { "a network with constraints and penalties" }
    }

    package enum Argument: Decodable, Sendable, CustomStringConvertible {
        case number(Float)
        case flag(Bool)
        case text(String)
        case numbers([Float])

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let numbers = try? container.decode([Float].self) {
                self = .numbers(numbers)
            } else {
                self = .number(try container.decode(Float.self))
            }
        }

        package var number: Float? { if case .number(let number) = self { number } else { nil } }
        package var flag: Bool { if case .flag(let flag) = self { flag } else { false } }
        package var text: String? { if case .text(let text) = self { text } else { nil } }
        package var numbers: [Float] { if case .numbers(let numbers) = self { numbers } else { [] } }
        package var description: String {
            switch self {
            case .number(let number): "\(number)"
            case .flag(let flag): "\(flag)"
            case .text(let text): text
            case .numbers(let numbers): "\(numbers)"
            }
        }
    }

    package let optimizers: [OptimizerCase]
    package let losses: [LossCase]
    package let heads: [HeadCase]
    package let networks: [NetworkCase]
    package let constrained: [ConstrainedCase]

    package static let shared: KerasFixture = {
        do {
            let file = try #require(Bundle.module.url(forResource: "Fixtures/training", withExtension: "json"))
            return try JSONDecoder().decode(KerasFixture.self, from: Data(contentsOf: file))
        } catch {
            Issue.record("the fixture cannot be read: \(error)")
            return KerasFixture(optimizers: [], losses: [], heads: [], networks: [], constrained: [])
        }
    }()
}

/// Keras's arguments by name, with what stands for one that is not given.
package struct KerasArguments {
    package let values: [String: KerasFixture.Argument]

    package init(values: [String: KerasFixture.Argument]) { self.values = values }

    package func number(_ name: String, _ fallback: Float) -> Float { values[name]?.number ?? fallback }
    package func integer(_ name: String, _ fallback: Int) -> Int { values[name]?.number.map { Int($0) } ?? fallback }
    package func flag(_ name: String) -> Bool { values[name]?.flag ?? false }

    /// The arguments that all optimizers have.
    package func settings(exclude: [String]) -> OptimizerSettings {
        let clipping =
            values["clipvalue"]?.number.map { GradientClipping.value($0) }
            ?? values["clipnorm"]?.number.map { .norm($0) } ?? values["global_clipnorm"]?.number.map { .globalNorm($0) }
        let frequency = values["ema_overwrite_frequency"]?.number.map { Int($0) }
        let average = MovingAverage(momentum: number("ema_momentum", 0.99), overwriteFrequency: frequency)
        return OptimizerSettings(
            weightDecay: values["weight_decay"]?.number, excludedFromWeightDecay: exclude, clipping: clipping,
            accumulationSteps: integer("gradient_accumulation_steps", 1),
            movingAverage: flag("use_ema") ? average : nil)
    }
}

/// The optimizer that Keras's name and arguments mean.
package func makeOptimizer(
    _ name: String, _ values: [String: KerasFixture.Argument], exclude: [String] = [],
    schedule: LearningRateSchedule? = nil
) throws -> any Optimizer {
    let arguments = KerasArguments(values: values)
    let settings = arguments.settings(exclude: exclude)
    let rate = schedule ?? .constant(arguments.number("learning_rate", name == "SGD" ? 0.01 : 0.001))
    let (beta1, epsilon) = (arguments.number("beta_1", 0.9), arguments.number("epsilon", 1e-7))
    let beta2 = arguments.number("beta_2", name == "Lion" ? 0.99 : 0.999)
    switch name {
    case "SGD":
        return SGD(
            learningRate: rate, momentum: arguments.number("momentum", 0), nesterov: arguments.flag("nesterov"),
            settings: settings)
    case "RMSprop":
        return RMSprop(
            learningRate: rate, rho: arguments.number("rho", 0.9), momentum: arguments.number("momentum", 0),
            epsilon: epsilon, centered: arguments.flag("centered"), settings: settings)
    case "Adam":
        return Adam(
            learningRate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: arguments.flag("amsgrad"),
            settings: settings)
    case "AdamW":
        return AdamW(
            learningRate: rate, weightDecay: arguments.number("weight_decay", 0.004), beta1: beta1, beta2: beta2,
            epsilon: epsilon, amsgrad: arguments.flag("amsgrad"), settings: settings)
    case "Nadam":
        return Nadam(learningRate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, settings: settings)
    case "Adagrad":
        return Adagrad(
            learningRate: rate, initialAccumulatorValue: arguments.number("initial_accumulator_value", 0.1),
            epsilon: epsilon, settings: settings)
    case "Lion": return Lion(learningRate: rate, beta1: beta1, beta2: beta2, settings: settings)
    default: throw GraftError(.argument, "no optimizer \(name)")
    }
}

/// The loss that Keras's name and arguments mean.
package func makeLoss(_ name: String, _ values: [String: KerasFixture.Argument] = [:]) throws -> Loss {
    let arguments = KerasArguments(values: values)
    let fromLogits = arguments.flag("from_logits")
    let smoothing = arguments.number("label_smoothing", 0)
    let (alpha, gamma) = (arguments.number("alpha", 0.25), arguments.number("gamma", 2))
    switch name {
    case "BinaryCrossentropy": return .binaryCrossentropy(fromLogits: fromLogits, labelSmoothing: smoothing)
    case "CategoricalCrossentropy": return .categoricalCrossentropy(fromLogits: fromLogits, labelSmoothing: smoothing)
    case "SparseCategoricalCrossentropy": return .sparseCategoricalCrossentropy(fromLogits: fromLogits)
    case "BinaryFocalCrossentropy":
        return .binaryFocalCrossentropy(
            applyClassBalancing: arguments.flag("apply_class_balancing"), alpha: alpha, gamma: gamma,
            fromLogits: fromLogits, labelSmoothing: smoothing)
    case "CategoricalFocalCrossentropy":
        return .categoricalFocalCrossentropy(
            alpha: alpha, gamma: gamma, fromLogits: fromLogits, labelSmoothing: smoothing)
    case "Hinge": return .hinge
    case "SquaredHinge": return .squaredHinge
    case "CategoricalHinge": return .categoricalHinge
    case "Huber": return .huber(delta: arguments.number("delta", 1))
    case "MeanAbsoluteError": return .meanAbsoluteError
    case "MeanSquaredError": return .meanSquaredError
    default: throw GraftError(.argument, "no loss \(name)")
    }
}
