import GraftCPU
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

/// Every layer type in many sets of arguments, built from Keras's own configuration: forward, gradients of inputs and
/// weights, and moving statistics, element by element against what Keras computed in 32-bit floats.
@Suite struct KerasLayerTests {
    /// Keras's own rounding: sums of at most a few hundred products of numbers near 1, each rounded to 24 bits.
    static let kerasTolerance = 2e-6
    /// The rounding of both sides, and vectorized functions.
    static let cpuTolerance = 1e-5

    @Test func fixtureHoldsEveryLayerType() {
        let classes = Set(KerasCase.all.map(\.layer.className))
        let known = Set(LayerRegistry.standard.classNames).subtracting(["InputLayer"])
        #expect(known.subtracting(classes).isEmpty, "without a case: \(known.subtracting(classes).sorted())")
    }

    @Test(arguments: KerasCase.all) func configurationComesBackAsKerasWroteIt(_ layer: KerasCase) throws {
        let configuration = try Configuration.object(layer.makeLayer().configuration)
        #expect(configuration.firstDifference(from: layer.layer.config) == nil)
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

    @Test(arguments: KerasCase.all) func cpuGivesKerasNumbers(_ layer: KerasCase) throws {
        let lowered = try layer.lowered()
        let plan = try CPUPlan(lowered.graph)
        try plan.bind(lowered.variables)
        let results = try plan.run(lowered.inputs)
        #expect(results.count == layer.expectedOutputs.count)
        for (actual, expected) in zip(results, layer.expectedOutputs) {
            expectClose(actual, expected.value.tensor, tolerance: Self.cpuTolerance, "\(expected.name)")
        }
        for (index, expected) in layer.updates.enumerated() {
            let value = lowered.identifiers[index].flatMap { plan.value(of: $0) }
            let actual = value ?? layer.weights[index].tensor
            expectClose(
                actual, (expected ?? layer.weights[index]).tensor, tolerance: Self.cpuTolerance,
                "\(layer.weights[index].name ?? "a weight") after the step")
        }
    }
}

extension Configuration {
    /// Where the first difference is, and what stands there; `nil` where there is none. JSON's `1` and `1.0` are equal,
    /// `null` may be missing, and a type's name stands for its policy, as they mean the same to Keras.
    fileprivate func firstDifference(from other: Configuration, at path: String = "config") -> String? {
        switch (self, other) {
        case (.object(let mine), .object(let others)):
            return Set(mine.keys).union(others.keys).sorted().lazy.compactMap { key in
                guard let left = mine[key] else { return others[key] == .null ? nil : "\(path).\(key) is missing" }
                guard let right = others[key] else { return "\(path).\(key) should not be there: \(left)" }
                return left.firstDifference(from: right, at: "\(path).\(key)")
            }.first
        case (.array(let mine), .array(let others)) where mine.count == others.count:
            return zip(mine, others).enumerated().lazy.compactMap { index, pair in
                pair.0.firstDifference(from: pair.1, at: "\(path)[\(index)]")
            }.first
        case (.int(let number), .double(let real)), (.double(let real), .int(let number)):
            return Double(number) == real ? nil : "\(path) is \(self), expected \(other)"
        case (.object, .string(let name)) where self["class_name"] == "DTypePolicy":
            return self["config"]?["name"] == .string(name) ? nil : "\(path) is \(self), expected \(other)"
        default: return self == other ? nil : "\(path) is \(self), expected \(other)"
        }
    }
}
