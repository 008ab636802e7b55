import GraftModel
import GraftTestSupport
import Testing

/// Inputs of int32: what they are in the graph and in files.
@Suite struct IntegerInputTests {
    private func tokens() throws -> (input: SymbolicTensor, model: Model) {
        let input = Input(shape: [2, 3], dtype: .int32, name: "tokens")
        let words = try Embedding(inputDim: 9, outputDim: 4)(Flatten()(input))
        return (input, try Model(inputs: input, outputs: words))
    }

    @Test func whatOnlyMovesNumbersKeepsTheType() throws {
        let (input, model) = try tokens()
        #expect(input.dtype == .int32)
        #expect(try Reshape([6])(Flatten()(input)).dtype == .int32)
        #expect(try model.output.dtype == .float32)
        #expect(try Rescaling(2)(input).dtype == .float32)
        #expect(Input(shape: [3]).dtype == .float32)
        let lowered = try model.lower(batchSize: 2, training: false)
        let types = lowered.graph.nodes.prefix(2).map { "\($0.operation.name) \($0.elementType.rawValue)" }
        #expect(types == ["input int32", "reshape int32"])
    }

    @Test func theTypeComesBackFromAFile() throws {
        let model = try tokens().model
        let layers = try #require(model.configuration["layers"]?.elements)
        #expect(layers[0]["config"]?["dtype"] == "int32")
        let argument = layers[1]["inbound_nodes"]?.elements?[0]["args"]?.elements?[0]
        #expect(argument?["config"]?["dtype"] == "int32")
        let again = try Model.deserialize(model.serialized)
        #expect(again.configuration == model.configuration)
        #expect(again.inputs.map(\.dtype) == [.int32])
    }

    @Test(arguments: ["string", "bool", "complex64"])
    func otherTypesAreRefused(dtype: String) {
        let error = #expect(throws: GraftError.self) {
            try LayerRegistry.standard.layer(
                "InputLayer", ["name": "in", "batch_shape": [nil, 3], "dtype": .string(dtype)])
        }
        #expect(error?.code == .format)
        #expect(
            error?.message
                == "InputLayer in: the argument dtype is \"\(dtype)\"; Graft takes inputs of floating-point numbers and integers"
        )
    }

    @Test(arguments: [("uint8", ElementType.int32), ("int64", .int32), ("float16", .float32), ("float64", .float32)])
    func otherSizesAreReadAsTheNearest(dtype: String, type: ElementType) throws {
        let layer = try LayerRegistry.standard.layer(
            "InputLayer", ["name": "in", "batch_shape": [nil, 3], "dtype": .string(dtype)])
        #expect((layer as? InputLayer)?.dtype == type)
    }

    @Test func anInputOfBfloat16IsRefused() {
        let error = #expect(throws: GraftError.self) {
            try InputLayer(shape: [2], dtype: .bfloat16, name: "x").checkArguments()
        }
        #expect(error?.message == "the input x cannot be bfloat16; give it float32 or int32")
    }

    /// A model inside another, cut off, or given floats.
    @Test func modelsInsideTakeTheirOwnType() throws {
        let inner = try tokens().model
        let outer = Input(shape: [2, 3], name: "numbers")
        let model = try Model(inputs: outer, outputs: inner(outer))
        let lowered = try model.lower(batchSize: 1, training: false)
        #expect(lowered.graph.nodes.contains { $0.operation == .movement(.cast(.int32)) })
        let table = Tensor((0..<36).map(Float.init), shape: [9, 4])
        try model.setWeights([table])
        let given = Tensor([1, 2.7, 0, 3, 8, 5], shape: [1, 2, 3])
        let rows = try interpret(model, [given]).outputs[0]
        #expect((0..<6).map { rows.values[4 * $0] } == [4, 8, 0, 12, 32, 20])
        let flat = try Flatten()(Input(shape: [2, 3], dtype: .int32))
        let cut = try Model(inputs: flat, outputs: Embedding(inputDim: 4, outputDim: 2)(flat))
        #expect(cut.inputs.map(\.dtype) == [.int32])
    }

    /// Results are always floats.
    @Test func anOutputOfIdsIsCast() throws {
        let input = Input(shape: [2, 2], dtype: .int32)
        let model = try Model(inputs: input, outputs: Flatten()(input))
        let lowered = try model.lower(batchSize: 1, training: false)
        try lowered.graph.validate()
        #expect(try interpret(model, [Tensor([1, 2, 3, 4], shape: [1, 2, 2])]).outputs[0].values == [1, 2, 3, 4])
    }

    // MARK: Ids

    @Test func theIDsOfEachInputAreKnown() throws {
        let (inner, ids) = (try tokens().model, Input(shape: [2, 3], name: "ids"))
        let (other, plain) = (Input(shape: [4], dtype: .int32, name: "other"), Input(shape: [4], name: "plain"))
        let words = try inner(Reshape([2, 3])(ids))
        let small = try Embedding(inputDim: 5, outputDim: 4, name: "small")(other)
        // What a layer computes is no id that somebody fed.
        let computed = try Embedding(inputDim: 3, outputDim: 4, name: "computed")(Rescaling(2)(plain))
        let model = try Model(
            inputs: [plain, ids, other], outputs: [words, small, computed], name: "outer")
        let ranges = model.idRanges.map { "\($0.input) \($0.layer) \($0.count)" }.sorted()
        #expect(ranges == ["1 \(inner.name)/embedding 9", "2 small 5"])
        #expect(try Model(inputs: plain, outputs: Dense(2)(plain)).idRanges.isEmpty)
    }
}
