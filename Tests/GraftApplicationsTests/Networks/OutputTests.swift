import Foundation
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftApplications

/// What the networks compute, preprocessing included, against Keras: same weights, same images, both made by a formula.
@Suite struct OutputTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let network: String
        let includeTop: Bool
        let inputShape: [Int]
        let pooling: String?
        let classes: Int
        let count: Int
        /// The layers with weights, where the fixture of architectures does not have the network.
        let weighted: [String]?
        let outputs: [Float]

        var testDescription: String { "\(network) \(inputShape)\(includeTop ? " with top" : "")" }
    }

    private struct Fixture: Decodable {
        let cases: [Case]
    }

    /// Written by Tests/Keras/application_outputs.py.
    private static let keras: [Case] = {
        guard let url = Bundle.module.url(forResource: "Fixtures/outputs", withExtension: "json"),
            let data = try? Data(contentsOf: url), let fixture = try? JSONDecoder().decode(Fixture.self, from: data)
        else { return [] }
        return fixture.cases
    }()

    /// The other networks of a family are of the same parts, which the fixture of architectures holds to Keras's;
    /// Tests/Keras/networks.py runs them all.
    @Test func theFixtureHasEachFamilyWithAndWithoutTop() throws {
        // Pocket is Graft's own; Tests/Keras/pocket.py holds it to Keras.
        // VisionTransformerTests holds its networks to their sources.
        let families = Set(Base.all.map(\.family)).subtracting([
            Base.pocket.family, .visionTransformer, .deiT, .dinov2,
        ])
        for top in [true, false] {
            let there = try Set(Self.keras.filter { $0.includeTop == top }.map { try Base.named($0.network).family })
            #expect(there == families, "\(families.subtracting(there).map(\.name))")
        }
    }

    /// Sums of thousands of products in 32 bits, in another order than Keras's, through up to 95 layers.
    private static let tolerance = 1e-4

    @Test(arguments: keras)
    func outputsAreKeras(expected: Case) throws {
        var options = BaseOptions(includeTop: expected.includeTop, inputShape: Shape(expected.inputShape))
        options.classes = expected.classes
        options.classifierActivation = .linear
        options.pooling = expected.pooling == "avg" ? .average : expected.pooling == "max" ? .max : .none
        let model = try Base.named(expected.network).model(options)
        if let names = expected.weighted { #expect(model.publishedLayers.map(\.name) == names) }
        try MadeNumbers.fill(model)
        let images = MadeNumbers.images(Shape([expected.count] + expected.inputShape))
        let output = try CPUOutput.of(model, for: images)
        let shape: Shape = [expected.count, expected.outputs.count / expected.count]
        expectClose(output, Tensor(expected.outputs, shape: shape), tolerance: Self.tolerance)
    }
}
