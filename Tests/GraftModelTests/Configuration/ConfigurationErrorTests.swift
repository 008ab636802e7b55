import GraftModel
import Testing

/// What files may say and Graft refuses; nothing of it traps.
@Suite struct ConfigurationErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let className: String
        let configuration: Configuration
        let message: String
        var testDescription: String { message }

        init(_ className: String, _ configuration: Configuration, _ message: String) {
            (self.className, self.configuration, self.message) = (className, configuration, message)
        }
    }

    static let layers = [
        Case("Dense", [], "the configuration of a Dense is not an object"),
        Case("Dense", [:], "Dense: the argument units is missing"),
        Case("Dense", ["name": "d", "units": "3"], "Dense d: the argument units must be a whole number, is \"3\""),
        Case("Dense", ["units": 3, "use_bias": 1], "Dense: the argument use_bias must be true or false, is 1"),
        Case(
            "Dense", ["units": 3, "tempo": 1],
            "Dense: the argument tempo is not known to Graft; the model may come from a newer Keras"),
        Case(
            "Dense", ["units": 3, "kernel_constraint": ["class_name": "MaximumNorm"]],
            "Dense: the argument kernel_constraint is the object MaximumNorm; Graft knows MaxNorm, NonNeg, UnitNorm and "
                + "MinMaxNorm"),
        Case(
            "Dense", ["units": 3, "activity_regularizer": ["class_name": "L3"]],
            "Dense: the argument activity_regularizer is the object L3; Graft knows L1, L2, L1L2 and OrthogonalRegularizer"
        ),
        Case(
            "Dense", ["units": 3, "activation": "glu"],
            "Dense: the argument activation is \"glu\"; Graft knows "
                + ActivationFunction.allCases.map(\.rawValue).joined(separator: ", ")
                + ", and as layers ELU, LeakyReLU, ReLU, Softmax"),
        Case("LeakyReLU", ["negative_slope": -1], "LeakyReLU: negative_slope must be a number of at least 0, is -1.0"),
        Case(
            "Permute", ["dims": [0, 1]],
            "Permute: [0, 1] must name each of 1 to 2 once; the batch axis is not counted"),
        Case(
            "GaussianDropout", ["rate": 1], "GaussianDropout: the rate must be from 0 to below 1, is 1.0"),
        Case(
            "Dropout", ["rate": 0.5, "noise_shape": [nil, 0]],
            "Dropout: the argument noise_shape must be positive numbers or null, is [null, 0]"),
        Case(
            "Conv2DTranspose", ["filters": 1, "kernel_size": 3, "strides": 2, "output_padding": 2],
            "Conv2DTranspose: the output padding (2, 2) must be below the strides (2, 2)"),
        Case(
            "Conv1D", ["filters": 1, "kernel_size": [3, 3]],
            "Conv1D: the argument kernel_size must be one whole number, is [3, 3]"),
        Case(
            "Dot", ["axes": [1, 2, 3]], "Dot: [1, 2, 3] must be one axis, or one for each of two inputs"),
        Case(
            "Dense", ["units": 3, "kernel_initializer": ["class_name": "STFT", "config": [:]]],
            "Dense: the argument kernel_initializer names the initializer STFT, which Graft does not know"),
        Case(
            "Dense",
            ["units": 3, "dtype": ["class_name": "QuantizedDTypePolicy", "config": ["name": "int8_from_float32"]]],
            "Dense: the argument dtype is int8_from_float32; Graft computes with float32 alone: a quantized model has to be "
                + "saved before `quantize` was called, others with one of Keras's types for floating-point numbers"),
        Case(
            "Conv2D", ["filters": 3, "kernel_size": [3]],
            "Conv2D: the argument kernel_size must be two whole numbers, is [3]"),
        Case(
            "Conv2D", ["filters": 3, "kernel_size": 3, "padding": "causal"],
            "Conv2D: the argument padding must be valid or same, is \"causal\""),
        Case(
            "Conv2D", ["filters": 3, "kernel_size": 3, "data_format": "channels_first"],
            "Conv2D: the argument data_format is \"channels_first\"; Graft knows only \"channels_last\" there"),
        Case("Conv2D", ["filters": -3, "kernel_size": 3], "Conv2D: filters must be from 1 to 16777216, is -3"),
        Case(
            "InputLayer", ["batch_shape": [nil, nil, nil, 3]],
            "InputLayer: the argument batch_shape is [null, null, null, 3]; Graft needs every size but the batch's to be "
                + "a number"),
        Case("Dropout", ["rate": 2], "Dropout: the rate must be from 0 to 1, is 2.0"),
        Case(
            "LSTM", ["name": "memory"],
            "layer memory: the layer class LSTM is not known; known are "
                + LayerRegistry.standard.classNames.joined(separator: ", ")
                + ". A LayerRegistry with register(\"LSTM\") and a layer of the same formula in Swift reads it; so does a model "
                + "that is cut before it and saved in Keras"),
        Case(
            "Lambda", ["name": "scale", "function": "x"],
            "layer scale: a Lambda holds Python code, which Graft does not run; write what it does with layers or keras.ops "
                + "(x / 255 is read as it stands), or cut the model before it and save that part"),
    ]

    @Test(arguments: layers) func layerIsRefusedWithItsReason(_ test: Case) {
        let error = #expect(throws: GraftError.self) {
            try LayerRegistry.standard.layer(test.className, test.configuration)
        }
        #expect(error?.description == test.message)
    }

    static func input(_ shape: Configuration = [nil, 2]) -> Configuration {
        ["class_name": "InputLayer", "config": ["batch_shape": shape, "name": "x"], "name": "x", "inbound_nodes": []]
    }

    static func dense(_ name: Configuration, reading history: Configuration) -> Configuration {
        [
            "class_name": "Dense", "config": ["units": 2, "name": name], "name": name,
            "inbound_nodes": [
                ["args": [["class_name": "__keras_tensor__", "config": ["keras_history": history]]], "kwargs": [:]]
            ],
        ]
    }

    static func functional(
        _ layers: [Configuration], inputs: Configuration = ["x", 0, 0], outputs: Configuration = ["d", 0, 0]
    ) -> Configuration {
        [
            "class_name": "Functional",
            "config": ["name": "m", "layers": .array(layers), "input_layers": inputs, "output_layers": outputs],
        ]
    }

    static let models = [
        Case("", "text", "a model needs a class_name and a config; this is \"text\""),
        Case(
            "", ["class_name": "Net", "config": [:]],
            "the model class Net is not known; known are Functional and Sequential"),
        Case("", ["class_name": "Sequential", "config": [:]], "the model's configuration has no list of layers"),
        Case(
            "", functional([input(), input()]), "two layers of the model are called x"),
        Case("", functional([input()]), "the model's configuration reads the layer d, which it does not have"),
        Case(
            "", functional([input(), dense("d", reading: ["e", 0, 0]), dense("e", reading: ["d", 0, 0])]),
            "these layers read results that nothing gives: d, e"),
        Case(
            "", functional([input(), dense("d", reading: ["x", 1, 0])]),
            "these layers read results that nothing gives: d"),
        Case("", functional([input(), dense("d", reading: ["x", 0, 1])]), "the layer x has no output 1"),
        Case(
            "", functional([input(), dense("d", reading: ["x", -1, 0])]),
            "a tensor in the model's configuration is not described: [\"x\", -1, 0]"),
        Case(
            "", functional([input(), dense("d", reading: ["x", 0, 0])], outputs: ["d", 1, 0]),
            "the model's configuration names [\"d\", 1, 0], which nothing gives"),
        Case(
            "", functional([input(), dense("d", reading: ["x", 0, 0])], outputs: nil),
            "the model's inputs and outputs must be lists; this is null"),
        Case(
            "", functional([input([nil, 0]), dense("d", reading: ["x", 0, 0])]),
            "the input x cannot have the shape (0,): each size must be at least 1, and their product in range"),
        Case(
            "", functional([input([nil, 9_223_372_036_854_775_807]), dense("d", reading: ["x", 0, 0])]),
            "the input x cannot have the shape (9223372036854775807,): each size must be at least 1, and their product in "
                + "range"),
    ]

    @Test(arguments: models) func modelIsRefusedWithItsReason(_ test: Case) {
        let error = #expect(throws: GraftError.self) { try Model.deserialize(test.configuration) }
        #expect(error?.description == test.message)
    }

    @Test func deepNestingIsRefused() {
        var model: Configuration = ["class_name": "Sequential", "config": ["layers": []]]
        for _ in 0..<100 { model = ["class_name": "Sequential", "config": ["layers": [model]]] }
        let error = #expect(throws: GraftError.self) { try Model.deserialize(model) }
        #expect(error?.description == "models are nested more than 32 deep")
    }

    @Test func layersInAnyOrderAreConnected() throws {
        let layers = (0..<200).reversed().map { number in
            Self.dense(.string("d\(number)"), reading: number == 0 ? ["x", 0, 0] : [.string("d\(number - 1)"), 0, 0])
        }
        let model = try Model.deserialize(Self.functional(layers + [Self.input()], outputs: ["d199", 0, 0]))
        #expect(model.layers.map(\.name) == ["x"] + (0..<200).map { "d\($0)" })
    }

    /// Every eleventh value of a real file in turn is replaced by another: each time an error or a model, never a trap.
    @Test(arguments: KerasModel.all) func damagedConfigurationsDoNotTrap(_ keras: KerasModel) {
        let replacements: [Configuration] = [
            nil, -1, 0, 9_223_372_036_854_775_807, 1.5, "x", [], [:], [[]], true,
        ]
        let count = keras.config.valueCount
        for (position, step) in zip(stride(from: 0, to: count, by: 11), 0...) {
            let damaged = keras.config.replacing(position, with: replacements[step % replacements.count])
            guard let model = try? Model.deserialize(damaged) else { continue }
            _ = try? model.lower(batchSize: 2, training: true)
            _ = model.summary()
        }
    }
}

extension Configuration {
    /// The number of values in it, itself included.
    var valueCount: Int {
        switch self {
        case .array(let elements): 1 + elements.reduce(0) { $0 + $1.valueCount }
        case .object(let members): 1 + members.values.reduce(0) { $0 + $1.valueCount }
        default: 1
        }
    }

    /// The same but for the value that a walk meets at this position.
    func replacing(_ position: Int, with value: Configuration) -> Configuration {
        guard position > 0 else { return value }
        var rest = position - 1
        func replaced(_ inner: Configuration) -> Configuration {
            defer { rest -= inner.valueCount }
            return (0..<inner.valueCount).contains(rest) ? inner.replacing(rest, with: value) : inner
        }
        switch self {
        case .array(let elements): return .array(elements.map(replaced))
        case .object(var members):
            for key in members.keys.sorted() { members[key] = members[key].map(replaced) }
            return .object(members)
        default: return self
        }
    }
}
