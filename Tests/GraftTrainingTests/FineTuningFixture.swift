import Foundation
import GraftModel
import Testing

@testable import GraftTraining

/// Thirty steps of small networks that Keras computed: `Tests/Keras/finetuning.py` writes them.
struct FineTuningFixture: Decodable {
    struct Network: Decodable, Sendable, CustomTestStringConvertible {
        let network: String
        let optimizer: String
        let arguments: [String: Float]
        let cosine: [String: Float]?
        let start: [[Float]]
        let losses: [Double]
        let afterOneStep: [[Float]]
        var testDescription: String { "the \(network) network with \(optimizer)" }
    }

    let inputs: [Float]
    let targets: [Float]
    let networks: [Network]

    static let shared: FineTuningFixture = {
        do {
            let file = try #require(Bundle.module.url(forResource: "Fixtures/finetuning", withExtension: "json"))
            return try JSONDecoder().decode(FineTuningFixture.self, from: Data(contentsOf: file))
        } catch {
            Issue.record("the fixture cannot be read: \(error)")
            return FineTuningFixture(inputs: [], targets: [], networks: [])
        }
    }()

    /// The first of its 48 pictures.
    func examples(_ count: Int) throws -> ArrayDataset {
        try ArrayDataset(
            inputs: Tensor(Array(inputs.prefix(count * 192)), shape: [count, 8, 8, 3]),
            targets: Tensor(Array(targets.prefix(count)), shape: [count]))
    }
}

extension FineTuningFixture.Network {
    /// The network as it begins.
    func model() throws -> Model {
        let model = try network == "residual" ? Self.residual() : Self.plain()
        try model.setWeights(zip(start, model.variables).map { Tensor($0, shape: $1.shape) })
        return model
    }

    private static func plain() throws -> Model {
        try Sequential(
            [
                Conv2D(6, kernelSize: 3, strides: 2, activation: .relu), Flatten(), Dense(8, activation: .relu),
                Dense(3, activation: .softmax),
            ], inputShape: [8, 8, 3])
    }

    private static func residual() throws -> Model {
        func block(_ x: SymbolicTensor, _ filters: Int, _ size: Size2D, strides: Size2D = 1) throws -> SymbolicTensor {
            let convolution = Conv2D(filters, kernelSize: size, strides: strides, padding: .same, useBias: false)
            return try BatchNormalization(momentum: 0.9)(convolution(x))
        }
        let image = Input(shape: [8, 8, 3])
        let x = try Activation(.relu)(block(image, 6, 3))
        let y = try block(Activation(.relu)(block(x, 8, 3, strides: 2)), 8, 3)
        let joined = try Activation(.relu)(Add()([block(x, 8, 1, strides: 2), y]))
        return try Model(
            inputs: image, outputs: Dense(3, activation: .softmax)(GlobalAveragePooling2D()(joined)))
    }

    /// The optimizer of the run.
    func makeOptimizer() throws -> any Optimizer {
        switch optimizer {
        case "SGD":
            return SGD(
                learningRate: .constant(try #require(arguments["learning_rate"])),
                momentum: try #require(arguments["momentum"]))
        case "Adam": return Adam(learningRate: try schedule())
        case "AdamW": return AdamW(learningRate: try schedule(), weightDecay: try #require(arguments["weight_decay"]))
        default: throw GraftError(.argument, "no optimizer \(optimizer)")
        }
    }

    private func schedule() throws -> LearningRateSchedule {
        let cosine = try #require(cosine)
        return .cosineDecay(
            initial: try #require(cosine["initial_learning_rate"]),
            decaySteps: Int(try #require(cosine["decay_steps"])),
            alpha: try #require(cosine["alpha"]))
    }
}

/// Two convolutions with normalizations whose statistics are not those of any batch, and a head.
func normalizedNetwork(regularizer: Regularizer? = nil, dropout: Double = 0) throws -> (base: Model, model: Model) {
    let image = Input(shape: [6, 6, 3], name: "pictures")
    var x = image
    for (number, filters) in [4, 6].enumerated() {
        x = try Conv2D(
            filters, kernelSize: 3, useBias: false, kernelRegularizer: regularizer, name: "conv\(number)")(x)
        x = try Activation(.relu)(BatchNormalization(name: "norm\(number)")(x))
    }
    let base = try Model(inputs: image, outputs: x, name: "base", seed: 5)
    for case let layer as BatchNormalization in base.layers {
        for (index, variable) in layer.variables.enumerated() {
            let random = RandomStream(key: 3, stream: UInt64(index))
            let values = (0..<variable.shape.elementCount).map { 0.5 + random.uniform(at: $0) }
            variable.value = Tensor(values, shape: variable.shape)
        }
    }
    base.setStatistics(.frozen)
    let hidden = try Dropout(dropout)(Dense(5, activation: .relu)(Flatten()(x)))
    return (base, try Model(inputs: image, outputs: Dense(2, activation: .softmax)(hidden), seed: 6))
}
