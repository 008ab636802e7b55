import Foundation
import GraftGraph
import GraftModel
import Testing

@testable import GraftFormats

/// Graphs that were read. That each operator gives onnxruntime's numbers is for `Tests/Keras/onnx_import.py`.
@Suite struct ONNXImportTests {
    private static let noSizes = InputShapes(nil, wayOut: "--input-size 224")

    static func read(_ file: ONNXModel, sizes: InputShapes = noSizes) throws -> Model {
        try ONNXFile.read(file.message.bytes, path: "test.onnx", sizes: sizes)
    }

    private static func network() throws -> Model {
        let image = Input(shape: [8, 6, 3], name: "image")
        var x = try Conv2D(4, kernelSize: 3, padding: .same, name: "first")(Rescaling(1 / 255)(image))
        x = try BatchNormalization(name: "normal")(Activation(.relu)(x))
        let branch = try DepthwiseConv2D(kernelSize: 3, padding: .same)(x)
        x = try MaxPooling2D()(Concatenate()([Add()([x, branch]), branch]))
        x = try Dense(5, activation: .softmax, name: "classes")(Flatten()(x))
        return try Model(inputs: image, outputs: x, seed: 4)
    }

    /// Both in float32, sums in other orders.
    @Test func whatGraftWroteGivesTheSameNumbers() throws {
        let model = try Self.network()
        let again = try Self.read(ONNXExporter(model).model)
        let image = Tensor((0..<288).map { Float($0 * 37 % 255) }, shape: [2, 8, 6, 3])
        let (one, other) = (try TestModels.predict(model, [image])[0], try TestModels.predict(again, [image])[0])
        #expect(one.shape == other.shape)
        for (left, right) in zip(one.scalars, other.scalars) { #expect(abs(left - right) < 1e-6) }
        #expect(again.inputs.map(\.shape) == [[8, 6, 3]])
        // No order of axes changes within, and what is learned can be learned on.
        #expect(!again.layers.contains { $0 is Permute })
        #expect(again.trainableVariables.parameterCount > 0)
    }

    @Test func whatWasReadIsSavedAndReadAgain() throws {
        let again = try Self.read(ONNXExporter(Self.network()).model)
        try withTemporaryFolder { folder in
            try again.save(folder + "/again.keras")
            let third = try Model.load(folder + "/again.keras")
            let image = Tensor((0..<144).map { Float($0 * 37 % 255) }, shape: [1, 8, 6, 3])
            #expect(try TestModels.predict(third, [image]) == TestModels.predict(again, [image]))
        }
    }

    /// A graph of an image with its channels first, as PyTorch has it.
    private static func image(_ nodes: [ONNXNode], _ arrays: [ONNXArray] = [], output: String = "y") -> ONNXModel {
        var file = ONNXModel(name: "hand")
        file.nodes = nodes
        file.initializers = arrays
        file.inputs = [ONNXValue(name: "x", dimensions: [nil, 3, 4, 5])]
        file.outputs = [ONNXValue(name: output, dimensions: [nil])]
        return file
    }

    /// By hand: 1 × 1, the sum of the channels and twice the first; then the rows of a dense layer in ONNX's order.
    @Test func imagesHaveTheirChannelsLastWithin() throws {
        let kernel = ONNXArray(name: "w", dimensions: [2, 3, 1, 1], numbers: .floats([1, 1, 1, 2, 0, 0]))
        // One output: the first place of the second channel, and ten times the last of the first.
        var rows = [Float](repeating: 0, count: 40)
        (rows[20], rows[19]) = (1, 10)
        let weights = ONNXArray(name: "d", dimensions: [40, 1], numbers: .floats(rows))
        let file = Self.image(
            [
                ONNXNode(type: "Conv", inputs: ["x", "w"], output: "/a/Conv:0"),
                ONNXNode(type: "Flatten", inputs: ["/a/Conv:0"], output: "f"),
                ONNXNode(type: "Gemm", inputs: ["f", "d"], output: "y"),
            ], [kernel, weights])
        let model = try Self.read(file)
        #expect(model.inputs[0].shape == [4, 5, 3])
        #expect(model.layers.map(\.name) == ["x", "a_Conv_0", "f", "y"])
        #expect(try model.output(ofLayer: "/a/Conv:0").shape == [4, 5, 2])
        let image = Tensor((0..<60).map(Float.init), shape: [1, 4, 5, 3])
        // The first place holds 0, 1, 2, the last one 57, 58, 59.
        #expect(try TestModels.predict(model, [image])[0].scalars == [2 * 0 + 10 * (57 + 58 + 59)])
        #expect(model.layerBeforeClassifier == "a_Conv_0")
    }

    @Test func shapesThatAreComputedAreFolded() throws {
        let numbers = [("zero", [0]), ("minus", [-1])].map {
            ONNXArray(name: $0.0, dimensions: [1], numbers: .integers($0.1))
        }
        let model = try Self.read(
            Self.image(
                [
                    ONNXNode(type: "Shape", inputs: ["x"], output: "s"),
                    ONNXNode(type: "Gather", inputs: ["s", "zero"], output: "b"),
                    ONNXNode(type: "Concat", inputs: ["b", "minus"], output: "t", attributes: [("axis", .int(0))]),
                    ONNXNode(type: "Relu", inputs: ["x"], output: "r"),
                    ONNXNode(type: "Reshape", inputs: ["r", "t"], output: "y"),
                ], numbers))
        #expect(model.outputs[0].shape == [60])
        // ONNX's order: all of the first channel before the second.
        let image = Tensor((0..<60).map(Float.init), shape: [1, 4, 5, 3])
        #expect(try TestModels.predict(model, [image])[0].scalars.prefix(3) == [0, 3, 6])
    }

    @Test func openSizesAreAskedFor() throws {
        var file = Self.image([ONNXNode(type: "Relu", inputs: ["x"], output: "y")])
        file.inputs[0].dimensions = [nil, 3, nil, nil]
        let error = graftError { _ = try Self.read(file) }
        #expect(error?.code == .shape && error?.message.contains("--input-size 224") == true)
        #expect(try Self.read(file, sizes: InputShapes(.side(9), wayOut: "")).inputs[0].shape == [9, 9, 3])
    }

    // MARK: Refused

    /// Nodes that are refused, and what the message says.
    static let refused: [(ONNXNode, String)] = [
        (ONNXNode(type: "NonMaxSuppression", inputs: ["x"], output: "y"), "the operator is not known to Graft"),
        (ONNXNode(type: "Conv", inputs: ["x", "x"], output: "y"), "is computed by the network"),
        (ONNXNode(type: "Relu", inputs: ["nothing"], output: "y"), "it reads nothing, which nothing gives"),
        (ONNXNode(type: "Relu", inputs: [], output: "y"), "its input 1 is missing"),
        (
            ONNXNode(type: "Transpose", inputs: ["x"], output: "y", attributes: [("perm", .ints([1, 0, 2, 3]))]),
            "batch in front"
        ),
        (ONNXNode(type: "Transpose", inputs: ["x"], output: "y", attributes: [("perm", .ints([]))]), "batch in front"),
        (ONNXNode(type: "Softmax", inputs: ["x"], output: "y", attributes: [("axis", .int(9))]), "none of 4"),
        (ONNXNode(type: "Softmax", inputs: ["x"], output: "y", attributes: [("axis", .int(.min))]), "none of 4"),
        (
            ONNXNode(type: "MaxPool", inputs: ["x"], output: "y", attributes: [("kernel_shape", .ints([0, 2]))]),
            "kernel_shape"
        ),
        (
            ONNXNode(
                type: "MaxPool", inputs: ["x"], output: "y",
                attributes: [("kernel_shape", .ints([2, 2])), ("pads", .ints([.max, .max, .max, .max]))]), "pads"
        ),
        (
            ONNXNode(
                type: "Split", inputs: ["x"], output: "y",
                attributes: [("axis", .int(1)), ("split", .ints([.max, 2]))]), "splits"
        ),
        (
            ONNXNode(type: "ReduceMean", inputs: ["x"], output: "y", attributes: [("axes", .ints([0]))]),
            "keeps the batch"
        ),
        (ONNXNode(type: "LRN", inputs: ["x"], output: "y"), "size is missing"),
    ]

    @Test(arguments: refused.indices) func aNodeThatIsNotReadIsNamed(_ index: Int) {
        let (node, words) = Self.refused[index]
        let error = graftError { _ = try Self.read(Self.image([node])) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "accepted")")
        #expect(error?.message.contains(node.type) == true)
    }

    @Test func circlesAndDoublesAreRefused() {
        let circle = Self.image([
            ONNXNode(type: "Add", inputs: ["x", "b"], output: "a"), ONNXNode(type: "Relu", inputs: ["a"], output: "b"),
            ONNXNode(type: "Relu", inputs: ["b"], output: "y"),
        ])
        #expect(graftError { _ = try Self.read(circle) }?.message.contains("in a circle") == true)
        let twice = Self.image([
            ONNXNode(type: "Relu", inputs: ["x"], output: "y"), ONNXNode(type: "Exp", inputs: ["x"], output: "y"),
        ])
        #expect(graftError { _ = try Self.read(twice) }?.message.contains("given twice") == true)
        let arrays = [1, 2].map { ONNXArray(name: "w", dimensions: [1], numbers: .floats([Float($0)])) }
        let double = Self.image([ONNXNode(type: "Add", inputs: ["x", "w"], output: "y")], arrays)
        #expect(graftError { _ = try Self.read(double) }?.message.contains("two initializers are called w") == true)
    }

    @Test func constantsOfAnySizeAreNotMade() {
        let sizes = ONNXArray(name: "n", dimensions: [2], numbers: .integers([1 << 30, 1 << 30]))
        for type in ["ConstantOfShape", "Expand"] {
            let one = ONNXArray(name: "one", dimensions: [1], numbers: .floats([1]))
            let node = ONNXNode(type: type, inputs: type == "Expand" ? ["one", "n"] : ["n"], output: "c")
            let file = Self.image([node, ONNXNode(type: "Add", inputs: ["x", "c"], output: "y")], [sizes, one])
            #expect(graftError { _ = try Self.read(file) }?.message.contains("more than the file bears") == true)
        }
    }

    @Test func arraysThatDoNotHoldWhatTheySayAreRefused() {
        for dimensions in [[3], [1 << 40, 1 << 40], [-1], [.max]] {
            let array = ONNXArray(name: "w", dimensions: dimensions, numbers: .floats([1, 2]))
            let file = Self.image([ONNXNode(type: "Add", inputs: ["x", "w"], output: "y")], [array])
            let error = graftError { _ = try Self.read(file) }
            #expect(error?.code == .format && error?.message.contains("the array w") == true)
        }
    }

    @Test func everyPrefixOfAFileIsRefusedOrRead() throws {
        let bytes = try ONNXExporter(Self.network()).model.message.bytes
        for count in stride(from: 0, to: bytes.count, by: 23) {
            _ = try? ONNXFile.read(Array(bytes[..<count]), path: "test.onnx", sizes: Self.noSizes)
        }
        // Changed bytes too; none may trap.
        for place in stride(from: 0, to: bytes.count, by: 31) {
            var changed = bytes
            changed[place] ^= UInt8(truncatingIfNeeded: place | 1)
            _ = try? ONNXFile.read(changed, path: "test.onnx", sizes: Self.noSizes)
        }
    }

    // MARK: Beside the file

    private static func external(_ location: String, offset: Int = 0, length: Int = 12) -> [UInt8] {
        var array = ProtobufWriter()
        array.add(1, packed: [3, 1, 1])
        array.add(2, 1)
        array.add(8, "w")
        for (key, value) in [("location", location), ("offset", "\(offset)"), ("length", "\(length)")] {
            var entry = ProtobufWriter()
            entry.add(1, key)
            entry.add(2, value)
            array.add(13, entry)
        }
        array.add(14, 1)
        var graph = ProtobufWriter()
        graph.add(5, array)
        let file = image([ONNXNode(type: "Add", inputs: ["x", "w"], output: "y")])
        // What comes later in a message joins what came before.
        var bytes = file.message.bytes
        var decoder = ProtobufReader(bytes)
        while let (field, value) = try? decoder.next() {
            guard field == 7, case .bytes(let range) = value else { continue }
            var whole = ProtobufWriter()
            whole.add(1, 8)
            whole.add(7, bytes: Array(bytes[range]) + graph.bytes)
            var operators = ProtobufWriter()
            operators.add(2, 18)
            whole.add(8, operators)
            bytes = whole.bytes
            break
        }
        return bytes
    }

    @Test func numbersBesideTheFileAreRead() throws {
        try withTemporaryFolder { folder in
            let values: [Float] = [9, 1, 2, 3]
            try Data(values.withUnsafeBytes { Array($0) }).write(to: URL(filePath: folder + "/weights.bin"))
            let path = folder + "/model.onnx"
            try Data(Self.external("weights.bin", offset: 4)).write(to: URL(filePath: path))
            let model = try Model.load(path)
            let sum = try TestModels.predict(model, [Tensor(zeros: [1, 4, 5, 3])])[0]
            #expect(sum.shape == [1, 3, 4, 5] && sum.scalars.first == 1 && sum.scalars.last == 3)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/link.bin", withDestinationPath: folder + "/weights.bin")
            let refused = [
                ("../weights.bin", 0, 12), (folder + "/weights.bin", 0, 12), ("..", 0, 12), ("", 0, 12),
                ("link.bin", 0, 12),
                ("weights.bin", 8, 12), ("weights.bin", .max, 12), ("weights.bin", 0, 8), ("nothing.bin", 0, 12),
            ]
            for (location, offset, length) in refused {
                try Data(Self.external(location, offset: offset, length: length)).write(to: URL(filePath: path))
                #expect(graftError { _ = try Model.load(path) } != nil, "\(location) \(offset) \(length)")
            }
        }
    }
}
