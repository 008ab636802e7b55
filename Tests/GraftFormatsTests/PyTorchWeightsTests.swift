import Foundation
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct PyTorchWeightsTests {
    /// One layer of each kind that has weights; sizes all differ, so that no wrong turn has a shape that fits.
    private static func model(top: Bool = true) throws -> Model {
        let image = Input(shape: [8, 9, 5])
        var x = try Conv2D(6, kernelSize: Size2D(2, 3), useBias: false, name: "stem")(image)
        x = try BatchNormalization(name: "norm")(x)
        x = try DepthwiseConv2D(kernelSize: Size2D(3, 4), depthMultiplier: 2, name: "each")(x)
        x = try GlobalAveragePooling2D()(x)
        if top { x = try Dense(7, name: "classes")(x) }
        return try Model(inputs: image, outputs: x)
    }

    private static let layout = PyTorchLayout(
        package: "somebody's", modules: ["stem": "_s", "norm": "_n", "each": "_e", "classes": "_fc"])

    /// The arrays of the model as PyTorch keeps them, array k with the numbers of the formula.
    private static let arrays: [SafetensorsBytes.Array] = [
        ("_s.weight", [6, 5, 2, 3]), ("_n.weight", [6]), ("_n.bias", [6]), ("_n.running_mean", [6]),
        ("_n.running_var", [6]), ("_e.weight", [12, 1, 3, 4]), ("_e.bias", [12]), ("_fc.weight", [7, 12]),
        ("_fc.bias", [7]),
    ].enumerated().map { (k, array: (name: String, shape: Shape)) in
        .init(array.name, Tensor(Fixture.numbers(array.shape, array: k), shape: array.shape))
    }

    private func load(
        _ arrays: [SafetensorsBytes.Array], into model: Model, layout: PyTorchLayout = layout
    ) throws -> WeightReport {
        try withTemporaryFolder { folder in
            let path = folder + "/weights.safetensors"
            try write(SafetensorsBytes(arrays).file, to: path)
            return try PyTorchWeights.load(from: path, into: model.layers, layout: layout)
        }
    }

    private func value(_ model: Model, _ layer: String, _ variable: String) throws -> Tensor {
        try #require(try model.layer(named: layer).variable(named: variable)).value
    }

    /// `numbers` of array k at the place of these indices in PyTorch's order.
    private func stored(_ k: Int, _ indices: [Int], _ shape: Shape) -> Float {
        Fixture.numbers(shape, array: k)[zip(indices, shape.strides).map { $0 * $1 }.reduce(0, +)]
    }

    @Test func axesAreTurned() throws {
        let model = try Self.model()
        let report = try load(Self.arrays, into: model)
        #expect(report.arrayCount == 9 && report.notes.isEmpty)
        #expect(report.parameterCount == model.countParameters())
        #expect(report.layers.map(\.storedAs) == ["_s", "_n", "_e", "_fc"])

        let (kernel, each) = (try value(model, "stem", "kernel"), try value(model, "each", "kernel"))
        let dense = try value(model, "classes", "kernel")
        try #require(kernel.shape == [2, 3, 5, 6] && each.shape == [3, 4, 6, 2] && dense.shape == [12, 7])
        for (h, w) in (0..<2).flatMap({ h in (0..<3).map { (h, $0) } }) {
            for (i, o) in (0..<5).flatMap({ i in (0..<6).map { (i, $0) } }) {
                let ours = kernel[((h * 3 + w) * 5 + i) * 6 + o]
                #expect(ours == stored(0, [o, i, h, w], [6, 5, 2, 3]), "kernel \(h) \(w) \(i) \(o)")
            }
        }
        for (h, w) in (0..<3).flatMap({ h in (0..<4).map { (h, $0) } }) {
            for (c, m) in (0..<6).flatMap({ c in (0..<2).map { (c, $0) } }) {
                let ours = each[((h * 4 + w) * 6 + c) * 2 + m]
                #expect(ours == stored(5, [2 * c + m, 0, h, w], [12, 1, 3, 4]), "channelwise \(h) \(w) \(c) \(m)")
            }
        }
        for (i, o) in (0..<12).flatMap({ i in (0..<7).map { (i, $0) } }) {
            #expect(dense[i * 7 + o] == stored(7, [o, i], [7, 12]), "dense \(i) \(o)")
        }
        for (k, name) in ["gamma", "beta", "moving_mean", "moving_variance"].enumerated() {
            #expect(try value(model, "norm", name).scalars == Fixture.numbers([6], array: 1 + k), "\(name)")
        }
        #expect(try value(model, "each", "bias").scalars == Fixture.numbers([12], array: 6))
    }

    @Test func countersAndATopThatIsLeftOutArePassedOver() throws {
        let model = try Self.model(top: false)
        let counters: [SafetensorsBytes.Array] = [
            .init("_n.num_batches_tracked", "I64", [], [UInt8](repeating: 0, count: 8)),
            .init("num_batches_tracked", "I64", [], [UInt8](repeating: 0, count: 8)),
        ]
        let report = try load(counters + Self.arrays, into: model)
        #expect(report.arrayCount == 7)
        #expect(report.notes == ["the model has no layer for _fc.bias, _fc.weight"])
    }

    @Test func allThatDoesNotFitIsToldAtOnceAndNothingIsLoaded() throws {
        let model = try Self.model()
        var arrays = Self.arrays.filter { $0.name != "_n.running_mean" && $0.name != "_fc.bias" }
        // Keras's order of axes, which would fit the variable.
        arrays[0] = .init("_s.weight", Tensor(zeros: [2, 3, 5, 6]))
        arrays.append(.init("_fcx.weight", Tensor(zeros: [2])))
        arrays.append(.init("other", "BOOL", [1], [1]))
        let error = graftError { _ = try load(arrays, into: model) }
        #expect(error?.code == .weights)
        let message = try #require(error?.message)
        let words = """
            do not fit this model, nothing was loaded: the file lacks _n.running_mean, _fc.bias; this model has no place \
            for the file's _fcx.weight, other; _s.weight has the shape (2, 3, 5, 6), this model needs (6, 5, 2, 3)
            """
        #expect(message.hasSuffix(words), "\(message)")
        #expect(model.variables.allSatisfy { !$0.isInitialized })
    }

    @Test func anArrayThatCannotBeReadLeavesTheModelAsItWas() throws {
        let model = try Self.model()
        var arrays = Self.arrays
        arrays[8] = .init("_fc.bias", "BOOL", [7], [UInt8](repeating: 1, count: 7))
        let error = graftError { _ = try load(arrays, into: model) }
        #expect(error?.message.contains("the array \"_fc.bias\" holds BOOL, which Graft does not read") == true)
        #expect(model.variables.allSatisfy { !$0.isInitialized })
    }

    @Test func aLayerWithoutANameInTheLayoutIsAMisfit() throws {
        let layout = PyTorchLayout(package: "somebody's", modules: ["stem": "_s", "norm": "_n", "each": "_e"])
        let error = graftError { _ = try load(Self.arrays, into: Self.model(), layout: layout) }
        #expect(error?.message.contains("the names of somebody's have no array for the layer classes") == true)
    }
}
