import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

/// Every layer type in many sets of arguments, built from Keras's own configuration: forward, gradients of inputs and
/// weights, and moving statistics, element by element against what Keras computed in 32-bit floats.
@Suite struct KerasLayerTests {
    /// Keras's own rounding: sums of at most a few hundred products of numbers near 1, each rounded to 24 bits.
    static let kerasTolerance = 2e-6

    @Test func fixtureHoldsEveryLayerType() {
        let classes = Set(KerasCase.all.map(\.layer.className))
        let known = Set(LayerRegistry.standard.classNames).subtracting(["InputLayer"])
        #expect(known.subtracting(classes).isEmpty, "without a case: \(known.subtracting(classes).sorted())")
    }

    @Test(arguments: KerasCase.all) func interpreterGivesKerasNumbers(_ layer: KerasCase) throws {
        let lowered = try layer.lowered()
        let results = try Interpreter.run(
            lowered.graph, inputs: lowered.inputs.mapValues(ReferenceArray.init),
            variables: lowered.variables.mapValues(ReferenceArray.init))
        #expect(results.outputs.count == layer.expectedOutputs.count)
        for (actual, expected) in zip(results.outputs, layer.expectedOutputs) {
            expectClose(actual, expected.value, tolerance: Self.kerasTolerance, "\(expected.name)")
        }
        for (index, expected) in layer.updates.enumerated() {
            let update = lowered.identifiers[index].flatMap { results.updates[$0] }
            let actual = update ?? layer.weights[index].reference
            expectClose(
                actual, (expected ?? layer.weights[index]).reference, tolerance: Self.kerasTolerance,
                "\(layer.weights[index].name ?? "a weight") after the step")
        }
    }
}
