import GraftModel
import Testing

@testable import GraftApplications

@Suite struct ArchitectureTests {
    @Test func theFixtureHasAllBasesWithAndWithoutTop() {
        for base in Base.all where Architectures.isInKeras(base) {
            for top in [true, false] {
                #expect(Architectures.keras.cases.contains { $0.network == base.title && $0.includeTop == top })
            }
        }
    }

    @Test(arguments: Architectures.keras.cases)
    func everyLayerIsKeras(expected: Architectures.Case) throws {
        let model = try expected.model()
        let rows = Architectures.keras.rows(of: expected)
        #expect(model.name == expected.name)
        #expect(model.countParameters() == expected.parameters)
        #expect(model.layers.map(\.name) == rows.map(\.layer.name))
        let places = Dictionary(uniqueKeysWithValues: model.layers.enumerated().map { ($1.name, $0) })
        for (place, (layer, row)) in zip(model.layers, rows).enumerated() {
            let keras = row.layer
            #expect(try layer.output.shape.dimensions == row.shape, "\(layer.name)")
            #expect(layer.countParameters() == keras.parameterCount, "\(layer.name)")
            let inputs = layer.calls.map { call in call.inputs.map { place - (places[$0.layer.name] ?? -1) } }
            #expect(inputs == [keras.inbound], "\(layer.name)")
            guard !keras.isOperation else { continue }
            #expect(type(of: layer).className == keras.className, "\(layer.name)")
            for (key, value) in Architectures.keras.settings[keras.settings] {
                let ours = layer.arguments[key]
                let agrees = key == "axis" ? isLastAxis(ours) && isLastAxis(value) : isSame(ours, value)
                #expect(agrees, "\(layer.name): \(key) is \(String(describing: ours)), in Keras \(value)")
            }
        }
        // Published files have the layers in this order.
        let weighted = rows.filter { $0.layer.parameterCount > 0 }.map(\.layer.name)
        #expect(model.publishedLayers.map(\.name) == weighted)
    }

    @Test(arguments: Base.all)
    func preprocessingChangesNothingElse(base: Base) throws {
        var options = BaseOptions(includeTop: false)
        let own = try base.model(options)
        options.preprocessing = Preprocessing.none
        let plain = try base.model(options)
        let added = own.layers.count - plain.layers.count
        #expect(own.layers.dropFirst(1 + added).map(\.name) == plain.layers.dropFirst(1).map(\.name))
        #expect(
            own.publishedLayers.map(\.name).suffix(plain.publishedLayers.count)
                == plain.publishedLayers.map(\.name)[...])
        // EfficientNet's normalization has six statistics and a counter, which Keras counts.
        let inside = plain.publishedLayers.count < own.publishedLayers.count ? 7 : 0
        #expect(plain.countParameters() == base.parameterCount - inside)
    }

    @Test func kernelsOfOneShapeStandInKerassOrder() throws {
        let names = try InceptionV3(includeTop: false).publishedLayers.map(\.name).filter { $0.hasPrefix("conv") }
        #expect(
            names.prefix(13) == [
                "conv2d", "conv2d_1", "conv2d_2", "conv2d_3", "conv2d_4", "conv2d_8", "conv2d_6", "conv2d_9",
                "conv2d_5",
                "conv2d_7", "conv2d_10", "conv2d_11", "conv2d_15",
            ])
    }

    @Test func cutAtMixed7TheTutorialsModelHasItsParameters() throws {
        let base = try InceptionV3(includeTop: false, inputShape: [150, 150, 3])
        base.freeze()
        let cut = try base.layer(named: "mixed7").output
        #expect(cut.shape == [7, 7, 768])
        let input = try base.input
        #expect(try Model(inputs: input, outputs: cut).countParameters() == 8_975_264)
        let hidden = try Dropout(0.2)(Dense(1024, activation: .relu)(Flatten()(cut)))
        let model = try Model(inputs: input, outputs: Dense(1, activation: .sigmoid)(hidden))
        #expect(model.countParameters() == 47_512_481)
        #expect(model.trainableVariables.map(\.shape.elementCount).reduce(0, +) == 38_537_217)
    }

    /// Keras's networks name the channels' axis 3 or −1, or have it in a list.
    private func isLastAxis(_ axis: Configuration?) -> Bool {
        let axis = axis?.elements?.first ?? axis
        return axis == .int(3) || axis == .int(-1)
    }

    /// Whole numbers and fractions of one value are the same: JSON readers differ in how they tell them apart.
    private func isSame(_ ours: Configuration?, _ keras: Configuration) -> Bool {
        guard let ours else { return false }
        if let ours = ours.number, let keras = keras.number { return ours == keras }
        if let ours = ours.elements, let keras = keras.elements {
            return ours.count == keras.count && zip(ours, keras).allSatisfy { isSame($0, $1) }
        }
        return ours == keras
    }
}
