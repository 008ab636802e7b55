import GraftModel
import GraftTestSupport
import Testing

@Suite struct StochasticDepthTests {
    /// 600 examples of ones with 4 numbers each.
    private func run(_ layer: StochasticDepth, training: Bool = true, key: UInt64 = 1) throws -> [[Double]] {
        let x = Input(shape: [2, 2])
        let model = try Model(inputs: x, outputs: layer(x))
        let ones = Tensor(repeating: 1, shape: [600, 2, 2])
        let values = try interpret(model, [ones], training: training, randomKey: key).outputs[0].values
        return stride(from: 0, to: values.count, by: 4).map { Array(values[$0..<($0 + 4)]) }
    }

    @Test func dropsWholeExamplesAndScalesTheOthersUp() throws {
        let examples = try run(StochasticDepth(0.2))
        let kept = Double(Float(1 / (1 - 0.2)))
        #expect(Set(examples) == [[0, 0, 0, 0], [kept, kept, kept, kept]])
        // 600 draws with probability 0.2 have a deviation of 9.8; five of them are 49.
        #expect(abs(examples.filter { $0[0] == 0 }.count - 120) < 49)
        #expect(try run(StochasticDepth(0.2), key: 2) != examples)
    }

    @Test func doesNothingOutsideTraining() throws {
        #expect(Set(try run(StochasticDepth(0.5), training: false)) == [[1, 1, 1, 1]])
        #expect(Set(try run(StochasticDepth(0))) == [[1, 1, 1, 1]])
    }

    /// Keras finds a class outside of its interface by its module.
    @Test func layersOfOneNetworkOfKerassNameItsModule() throws {
        let layers: [(Layer, String)] = [
            (StochasticDepth(0.1), "keras.src.applications.convnext"),
            (LayerScale(1e-6, projectionDim: 4), "keras.src.applications.convnext"),
            (CustomScaleLayer(0.1), "keras.src.applications.inception_resnet_v2"),
        ]
        for (layer, module) in layers {
            let name = type(of: layer).className
            #expect(layer.serialized["module"] == .string(module))
            #expect(layer.serialized["registered_name"] == .string(name))
            #expect(layer.serialized["class_name"] == .string(name))
        }
        #expect(Dense(1).serialized["module"] == "keras.layers")
        #expect(Dense(1).serialized["registered_name"] == .null)
    }
}
