import Foundation
import GraftModel
import GraftTestSupport
import Testing

/// Custom classes that are called like Keras's own, and operators; what Keras wrote and computed, by
/// `Tests/Keras/custom_classes.py`.
@Suite struct CustomClassTests {
    struct Fixture: Decodable {
        struct Custom: Decodable, Sendable, CustomTestStringConvertible {
            let name: String
            let `class`: String
            let config: Configuration
            var testDescription: String { name }
        }
        struct Operators: Decodable, Sendable, CustomTestStringConvertible {
            let name: String
            let config: Configuration
            let inputs: [Array]
            let output: Array
            var testDescription: String { name }
        }
        struct Refused: Decodable, Sendable {
            let name: String
            let config: Configuration
        }
        struct Array: Decodable, Sendable {
            let shape: [Int]
            let values: [Float]
            var tensor: Tensor { Tensor(values, shape: Shape(shape)) }
        }

        let custom: [Custom]
        let operators: [Operators]
        let activations: [Operators]
        let refusedOperators: [Refused]
    }

    static let fixture: Fixture = {
        do {
            let url = Bundle.module.url(forResource: "custom-classes", withExtension: "json", subdirectory: "Fixtures")
            return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: #require(url)))
        } catch {
            Issue.record("the fixture of custom classes cannot be read: \(error)")
            return Fixture(custom: [], operators: [], activations: [], refusedOperators: [])
        }
    }()

    @Test(arguments: fixture.custom) func customClassIsRefusedByItsFullName(_ custom: Fixture.Custom) throws {
        let error = try #require(throws: GraftError.self) { try Model.deserialize(custom.config) }
        #expect(error.code == .format)
        #expect(
            error.message.contains("\(custom.class) is somebody's own class")
                || error.message.contains("is of the custom class \(custom.class)"))
    }

    @Test func refusalNamesTheLayerAndTheWayOut() throws {
        let custom = try #require(Self.fixture.custom.first { $0.name == "registered Dense" })
        let error = try #require(throws: GraftError.self) { try Model.deserialize(custom.config) }
        #expect(
            error.message
                == "layer dense: the layer class my>Dense is somebody's own class: only its code knows what it computes, "
                + "whatever it is called; build the model from Keras's own layers, or load it with a LayerRegistry that has "
                + "register(\"my>Dense\") with a layer of the same formula in Swift")
    }

    /// The way out that the message names.
    @Test func registeredClassIsReadByItsFullName() throws {
        let custom = try #require(Self.fixture.custom.first { $0.name == "registered Dense" })
        var registry = LayerRegistry.standard
        registry.register("my>Dense") { (reader) throws(GraftError) in
            for key in [
                "units", "activation", "use_bias", "kernel_initializer", "bias_initializer", "quantization_config",
            ] { _ = reader.optional(key) }
            try reader.requireNull("kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint")
            return Rescaling(2, name: reader.name)
        }
        let model = try Model.deserialize(custom.config, registry: registry)
        let output = try interpret(model, [counting([1, 4])]).outputs[0]
        #expect(output.values == [2, 4, 6, 8])
    }

    /// Registering a Swift layer for Keras's own Dense says nothing about somebody's.
    @Test func registeringAnotherNameDoesNotAdmitTheClass() throws {
        let custom = try #require(Self.fixture.custom.first { $0.name == "registered Dense" })
        var registry = LayerRegistry.standard
        registry.register("other>Dense") { (reader) throws(GraftError) in Rescaling(2, name: reader.name) }
        #expect(throws: GraftError.self) { try Model.deserialize(custom.config, registry: registry) }
    }

    /// Sums and products of two numbers, rounded to float32 once: 2⁻²⁴ of the largest.
    @Test(arguments: fixture.operators) func operatorComputesWhatKerasDoes(_ test: Fixture.Operators) throws {
        let model = try Model.deserialize(test.config)
        let output = try interpret(model, test.inputs.map(\.tensor)).outputs[0]
        expectClose(output, ReferenceArray(test.output.tensor), tolerance: 6e-8)
    }

    /// Keras in 32 bits against the interpreter in 64, as for every layer.
    @Test(arguments: fixture.activations) func activationWithoutANameIsReadAndWritten(_ test: Fixture.Operators) throws
    {
        let model = try Model.deserialize(test.config)
        let output = try interpret(model, test.inputs.map(\.tensor)).outputs[0]
        expectClose(output, ReferenceArray(test.output.tensor), tolerance: 2e-6)
        let expected: ActivationFunction = test.name == "gelu" ? .gelu : .geluTanh
        #expect((model.layers.last as? Activation)?.activation == expected)
        let again = try Model.deserialize(model.serialized)
        #expect((again.layers.last as? Activation)?.activation == expected)
    }

    @Test(arguments: [
        (
            "ranks",
            "layer add: the operator Add joins the shapes (None, 4) and (None, 3, 4) as NumPy does, from the last axis on, "
                + "so that the batch meets another axis; use keras.layers.Add, or Reshape to the same rank"
        )
    ]) func operatorIsRefusedWithItsReason(_ name: String, _ message: String) throws {
        let config = try #require(Self.fixture.refusedOperators.first { $0.name == name }).config
        let error = try #require(throws: GraftError.self) { try Model.deserialize(config) }
        #expect(Self.withoutNumbersOfNames(error.message) == message)
    }

    /// `layer add_3 (Add)` as `layer add`: Keras counts names over all models of a process.
    private static func withoutNumbersOfNames(_ message: String) -> String {
        message.replacing(/layer add(_\d+)?( \(Add\))?:/, with: "layer add:")
    }
}
