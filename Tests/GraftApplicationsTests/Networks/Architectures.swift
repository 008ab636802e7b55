import Foundation
import GraftModel
import Testing

@testable import GraftApplications

/// The networks as Keras builds them; written by Tests/Keras/architectures.py.
struct Architectures: Decodable {
    /// The arguments that decide what a layer computes.
    let settings: [[String: Configuration]]
    let layers: [LayerRow]
    let cases: [Case]

    struct LayerRow: Decodable, Equatable {
        let name: String
        let className: String
        let parameterCount: Int
        let inbound: [String]
        let settings: Int

        init(from decoder: any Decoder) throws {
            var row = try decoder.unkeyedContainer()
            name = try row.decode(String.self)
            className = try row.decode(String.self)
            parameterCount = try row.decode(Int.self)
            inbound = try row.decode([String].self)
            settings = try row.decode(Int.self)
        }
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
        let weighted: [String]
        let rows: [Row]

        var testDescription: String { "\(network) \(inputShape)\(includeTop ? " with top" : "") \(pooling ?? "")" }

        /// The same network of ours, with Keras's arguments, without preprocessing.
        func model() throws -> Model {
            var options = BaseOptions(includeTop: includeTop, inputShape: Shape(inputShape), classes: classes)
            options.pooling = pooling == "avg" ? .average : pooling == "max" ? .max : .none
            options.classifierActivation = try #require(ActivationFunction(rawValue: classifierActivation))
            options.preprocessing = Preprocessing.none
            return try Base.named(network).model(options)
        }
    }

    struct Row: Decodable {
        let layer: Int
        let shape: [Int]

        init(from decoder: any Decoder) throws {
            var row = try decoder.unkeyedContainer()
            layer = try row.decode(Int.self)
            shape = try row.decode([Int].self)
        }
    }

    /// Whether Keras has a function for the network. Layers and outputs of the other one are held to what Tests/Keras/lite.py
    /// builds of Keras's parts, and to PyTorch's outputs.
    static func isInKeras(_ base: Base) -> Bool { base.id != Base.efficientNetLite0.id }

    /// The fixture; an empty one, which fails the tests, where it cannot be read.
    static let keras: Architectures = {
        guard let url = Bundle.module.url(forResource: "Fixtures/architectures", withExtension: "json"),
            let data = try? Data(contentsOf: url),
            let fixture = try? JSONDecoder().decode(Architectures.self, from: data)
        else { return Architectures(settings: [], layers: [], cases: []) }
        return fixture
    }()
}
