import Foundation
import GraftModel
import Testing

@testable import GraftApplications

/// The networks as Keras builds them; written by Tests/Keras/architectures.py.
struct Architectures: Decodable {
    /// The arguments that decide what a layer computes.
    let settings: [[String: Configuration]]
    let layers: [LayerRow]
    let shapes: [[Int]]
    let cases: [Case]

    struct LayerRow: Decodable, Equatable {
        let name: String
        let className: String
        let parameterCount: Int
        /// How many layers before it each of its inputs is.
        let inbound: [Int]
        let settings: Int

        init(from decoder: any Decoder) throws {
            var row = try decoder.unkeyedContainer()
            name = try row.decode(String.self)
            className = try row.decode(String.self)
            parameterCount = try row.decode(Int.self)
            inbound = try row.decode([Int].self)
            settings = try row.decode(Int.self)
        }

        /// Whether it is what arithmetic with constants leaves in Keras's model, without a layer of Keras's.
        var isOperation: Bool { className == "operation" }
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let network: String
        let name: String
        let includeTop: Bool
        let inputShape: [Int]
        let pooling: String?
        let classes: Int
        let classifierActivation: String
        let parameters: Int
        /// The earlier case whose first rows it has, and how many.
        let begins: [Int]?
        /// Layer and shape, one pair after the other.
        let rows: [Int]

        var testDescription: String { "\(network) \(inputShape)\(includeTop ? " with top" : "") \(pooling ?? "")" }

        /// The same network of ours, with Keras's arguments, without preprocessing where Keras has it outside.
        func model() throws -> Model {
            let base = try Base.named(network)
            var options = BaseOptions(includeTop: includeTop, inputShape: Shape(inputShape), classes: classes)
            options.pooling = pooling == "avg" ? .average : pooling == "max" ? .max : .none
            options.classifierActivation = try #require(ActivationFunction(rawValue: classifierActivation))
            if !base.preprocessingIsKerass { options.preprocessing = Preprocessing.none }
            return try base.model(options)
        }
    }

    struct Row {
        let layer: LayerRow
        let shape: [Int]
    }

    /// All layers of a case, in Keras's order.
    func rows(of wanted: Case) -> [Row] { numbers(of: wanted).map { Row(layer: layers[$0.0], shape: shapes[$0.1]) } }

    private func numbers(of wanted: Case) -> [(Int, Int)] {
        let own = stride(from: 0, to: wanted.rows.count, by: 2).map { (wanted.rows[$0], wanted.rows[$0 + 1]) }
        guard let begins = wanted.begins else { return own }
        return numbers(of: cases[begins[0]]).prefix(begins[1]) + own
    }

    /// Whether Keras has a function for the network. Layers and outputs of the others are held to what Tests/Keras/lite.py and
    /// beyond.py build of Keras's parts, and to PyTorch's outputs.
    static func isInKeras(_ base: Base) -> Bool {
        ![
            .efficientNetLite, .pocket, .smallResNet, .squeezeNet, .visionTransformer, .deiT, .dinov2,
        ].contains(base.family)
    }

    /// The fixture; an empty one, which fails the tests, where it cannot be read.
    static let keras: Architectures = {
        guard let url = Bundle.module.url(forResource: "Fixtures/architectures", withExtension: "json"),
            let data = try? Data(contentsOf: url),
            let fixture = try? JSONDecoder().decode(Architectures.self, from: data)
        else { return Architectures(settings: [], layers: [], shapes: [], cases: []) }
        return fixture
    }()
}
