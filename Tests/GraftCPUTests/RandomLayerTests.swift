import GraftCPU
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@Suite struct RandomLayerTests {
    @Test(arguments: [Dropout(0.5), SpatialDropout2D(0.5), GaussianNoise(0.5)] as [Layer])
    func cpuDrawsWhatTheInterpreterDraws(_ layer: Layer) throws {
        let x = Input(shape: [5, 6, 8])
        let lowered = try Model(inputs: x, outputs: layer(x)).lower(batchSize: 3, training: true)
        let name = try #require(lowered.inputNames.first)
        let ones = Tensor(repeating: 1, shape: [3, 5, 6, 8])
        let expected = try Interpreter.run(
            lowered.graph, inputs: [name: ReferenceArray(ones)], variables: [:], randomKey: 9)
        let actual = try CPUPlan(lowered.graph).run([name: ones], randomKey: 9)
        // Rounding of some forty operations in float32.
        expectClose(actual[0], expected.outputs[0].tensor, tolerance: 1e-5, "\(layer.name)")
    }
}
