import GraftModel
import GraftTestSupport
import Testing

/// What Keras's numbers (KerasLayerTests) do not show of attention.
@Suite struct MultiHeadAttentionTests {
    @Test func variablesHaveKerassNamesAndShapes() throws {
        let (x, memory) = (Input(shape: [3, 8]), Input(shape: [5, 6]))
        let layer = MultiHeadAttention(numHeads: 2, keyDim: 4, valueDim: 5)
        let model = try Model(inputs: [x, memory], outputs: layer(x, memory))
        #expect(
            model.variables.map { "\($0.path) \($0.shape)" } == [
                "multi_head_attention/query/kernel (8, 2, 4)", "multi_head_attention/query/bias (2, 4)",
                "multi_head_attention/key/kernel (6, 2, 4)", "multi_head_attention/key/bias (2, 4)",
                "multi_head_attention/value/kernel (6, 2, 5)", "multi_head_attention/value/bias (2, 5)",
                "multi_head_attention/attention_output/kernel (2, 5, 8)",
                "multi_head_attention/attention_output/bias (8,)",
            ])
        #expect(try model.output.shape == [3, 8])
        #expect(model.layers.count == 3)
    }

    /// Keras counts the inputs and outputs of a projection, not its axes.
    @Test func kernelsBeginAsKerassDo() throws {
        let x = Input(shape: [2, 96])
        let layer = MultiHeadAttention(numHeads: 4, keyDim: 16)
        _ = try Model(inputs: x, outputs: layer(x, x))
        for (kernel, fans) in [(layer.variables[0], 96.0 + 64), (layer.variables[6], 64.0 + 96)] {
            let limit = Float((6 / fans).squareRoot())
            let values = kernel.value.scalars
            let largest = values.map(abs).max() ?? 0
            #expect(largest <= limit && largest > 0.98 * limit, "\(kernel.path): \(largest), \(limit)")
        }
    }

    @Test func freezingTheLayerFreezesItsProjections() throws {
        let x = Input(shape: [2, 6])
        let layer = MultiHeadAttention(numHeads: 2, keyDim: 3)
        let model = try Model(inputs: x, outputs: Dense(1)(layer(x, x)))
        #expect(model.trainableVariables.count == 10)
        layer.trainable = false
        #expect(model.trainableVariables.map(\.name) == ["kernel", "bias"])
    }

    @Test func whatACallSaysIsWrittenAndRead() throws {
        let (x, mask) = (Input(shape: [3, 4], name: "x"), Input(shape: [1, 3], dtype: .int32, name: "mask"))
        let layer = MultiHeadAttention(numHeads: 2, keyDim: 2, slidingWindow: 2)
        let output = try layer(x, x, key: x, attentionMask: mask, useCausalMask: true)
        let pooled = try GlobalAveragePooling1D()(output, mask: Flatten()(mask))
        let model = try Model(inputs: [x, mask], outputs: pooled)
        let nodes = model.serialized["config"]?["layers"]?.elements?.first { $0["name"] == "multi_head_attention" }
        let node = try #require(nodes?["inbound_nodes"]?.elements?.first)
        #expect(node["args"]?.elements?.count == 3)
        #expect(node["kwargs"]?["use_causal_mask"] == true)
        #expect(node["kwargs"]?["attention_mask"]?["config"]?["keras_history"] == ["mask", 0, 0])
        #expect(nodes?["build_config"]?["shapes_dict"]?["value_shape"] == [nil, 3, 4])
        let copy = try model.copy()
        #expect(copy.serialized == model.serialized)
        try copy.setWeights(model.weights)
        let inputs = [
            counting([2, 3, 4]), Tensor([1, 0, 1, 1, 1, 0], shape: [2, 1, 3]).stored(as: .int32),
        ]
        #expect(try interpret(copy, inputs).outputs == interpret(model, inputs).outputs)
    }

    /// A position that may see nothing gives the mean of all values, as Keras's without dropout.
    @Test func whatSeesNothingSeesAllAlike() throws {
        let (x, mask) = (Input(shape: [2, 4]), Input(shape: [1, 2], dtype: .int32))
        let layer = MultiHeadAttention(numHeads: 1, keyDim: 4)
        let model = try Model(inputs: [x, mask], outputs: layer(x, x, attentionMask: mask))
        let values = counting([1, 2, 4])
        func output(_ flags: [Float]) throws -> ReferenceArray {
            try interpret(model, [values, Tensor(flags, shape: [1, 1, 2]).stored(as: .int32)]).outputs[0]
        }
        let blind = try output([0, 0])
        #expect(blind.values.prefix(4) == blind.values.suffix(4))
        #expect(try output([1, 1]).values != blind.values)
    }

    @Test func draw() throws {
        let x = Input(shape: [2, 4])
        let model = try Model(inputs: x, outputs: MultiHeadAttention(numHeads: 1, keyDim: 4, dropout: 0.5)(x, x))
        let values = counting([1, 2, 4])
        let plain = try interpret(model, [values]).outputs[0]
        #expect(try interpret(model, [values], training: true).outputs[0] != plain)
        let still = try Model(inputs: x, outputs: MultiHeadAttention(numHeads: 1, keyDim: 4)(x, x))
        try still.setWeights(model.weights)
        #expect(try interpret(still, [values], training: true).outputs[0] == plain)
    }

    @Test(arguments: [
        (["x"], "takes a query and a value, the same tensor twice for self-attention; it was given 1 input"),
        (["x", "image"], "takes sequences, (steps, channels), and a key for each value"),
        (["x", "memory", "x"], "takes sequences, (steps, channels), and a key for each value"),
    ])
    func inputsAreChecked(names: [String], words: String) throws {
        let places = [
            "x": Input(shape: [3, 4]), "memory": Input(shape: [5, 4]), "image": Input(shape: [3, 3, 4]),
        ]
        let inputs = names.compactMap { places[$0] }
        let error = #expect(throws: GraftError.self) { _ = try MultiHeadAttention(numHeads: 2, keyDim: 2).call(inputs) }
        #expect(error?.code == .shape || error?.code == .argument)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [[5] as Shape, [3, 4], [2, 1, 5], [1, 1, 1, 5]])
    func masksAreChecked(shape: Shape) throws {
        let (x, y, mask) = (Input(shape: [3, 4]), Input(shape: [5, 4]), Input(shape: shape))
        let error = #expect(throws: GraftError.self) {
            _ = try MultiHeadAttention(numHeads: 3, keyDim: 2)(x, y, attentionMask: mask)
        }
        #expect(error?.message.contains("an attention mask of \(shape.batchDescription) does not fit") == true)
    }

    @Test func aMaskOfAnotherLengthIsRefused() throws {
        let (x, mask) = (Input(shape: [3, 4]), Input(shape: [4]))
        let error = #expect(throws: GraftError.self) { _ = try GlobalAveragePooling1D()(x, mask: mask) }
        #expect(error?.message.contains("must be (None, 3), is (None, 4)") == true, "\(error?.message ?? "")")
        let other = #expect(throws: GraftError.self) {
            _ = try MultiHeadAttention(numHeads: 2, keyDim: 2)(x, x, keyMask: mask)
        }
        #expect(other?.message.contains("key_mask must be (None, 3), is (None, 4)") == true, "\(other?.message ?? "")")
    }

    private static let wrongArguments: [(Configuration, String)] = [
        (["attention_axes": [2]], "attention_axes [2] name another axis than that of a sequence"),
        (["output_shape": [3, 4]], "output_shape [3, 4] must be one positive size"),
        (["sliding_window": 0], "sliding_window must be positive"),
        (["value_dim": -1], "value_dim must be positive, is -1"),
        (["num_heads": 0], "num_heads must be from 1 to"),
        (["dropout": 1.5], "dropout must be from 0 to 1"),
        (["activity_regularizer": "l2"], "counts an activity_regularizer once for each projection"),
    ]

    @Test(arguments: wrongArguments)
    func argumentsAreChecked(changes: Configuration, words: String) throws {
        var members: [String: Configuration] = ["name": "a", "num_heads": 2, "key_dim": 3]
        members.merge(changes.members ?? [:]) { $1 }
        let error = #expect(throws: GraftError.self) {
            try LayerRegistry.standard.layer("MultiHeadAttention", .object(members))
        }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    /// What a call in a file may say that Graft does not know.
    private static let wrongCalls: [(Configuration, String)] = [
        (["return_attention_scores": true], "return_attention_scores, which Graft does not know"),
        (["use_causal_mask": 3], "use_causal_mask, which must be true or false"),
        (["attention_mask": 3], "reads 3 as attention_mask, which is no tensor"),
        (["softness": 3], "is called with softness, which Graft does not know"),
    ]

    @Test(arguments: wrongCalls)
    func callsAreChecked(keywords: Configuration, words: String) throws {
        let x = Input(shape: [3, 4], name: "x")
        let model = try Model(inputs: x, outputs: MultiHeadAttention(numHeads: 2, keyDim: 2, name: "a")(x, x))
        var serialized = try #require(model.serialized.members)
        var config = try #require(serialized["config"]?.members)
        config["layers"] = .array(
            (config["layers"]?.elements ?? []).map { layer in
                guard layer["name"] == "a", var members = layer.members,
                    var node = members["inbound_nodes"]?.elements?.first?.members
                else { return layer }
                node["kwargs"] = keywords
                members["inbound_nodes"] = [.object(node)]
                return .object(members)
            })
        serialized["config"] = .object(config)
        let error = #expect(throws: GraftError.self) { try Model.deserialize(.object(serialized)) }
        #expect(error?.code == .format)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
