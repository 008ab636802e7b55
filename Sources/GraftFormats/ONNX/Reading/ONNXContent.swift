import GraftModel
import GraftSystem

/// What an ONNX file says: nodes, constants, inputs and outputs. Source: onnx/onnx.proto of github.com/onnx/onnx.
struct ONNXContent {
    var name = "onnx"
    /// The version of ONNX's own operators.
    var operatorSet = 0
    var nodes: [Node] = []
    var constants: [String: ONNXConstant] = [:]
    var inputs: [Input] = []
    var outputs: [String] = []
    /// What the file says of itself.
    var metadata: [String: String] = [:]

    /// One operator with what it reads and writes, by name; an input that is left out has an empty one.
    struct Node {
        var name = ""
        var type = ""
        var domain = ""
        var inputs: [String] = []
        var outputs: [String] = []
        var attributes: [String: Attribute] = [:]
        /// What to call it in messages.
        var place: String {
            name.isEmpty ? "the node \(type) that gives \(outputs.first ?? "nothing")" : "the node \(name) (\(type))"
        }
    }

    enum Attribute {
        case integer(Int)
        case number(Float)
        case text(String)
        case integers([Int])
        case numbers([Float])
        case constant(ONNXConstant)
        /// A graph, or anything else that is not read.
        case other
    }

    /// A named input; the size of an axis is `nil` where the file leaves it open.
    struct Input {
        var name = ""
        var type = 0
        var dimensions: [Int?] = []
    }
}

/// Decodes the messages of an ONNX file. Messages lie at fixed places in one another, so that nothing here calls itself; graphs
/// inside of attributes are not read.
struct ONNXDecoder {
    private let bytes: [UInt8]
    private let path: String
    private let budget: FileBudget
    private let external = ONNXExternalFiles()
    private(set) var content = ONNXContent()

    /// - Throws: `GraftError` with code `format` where it is no such file, damaged, or describes more than its size bears.
    init(_ bytes: [UInt8], path: String) throws(GraftError) {
        (self.bytes, self.path) = (bytes, path)
        budget = FileBudget(path: path, byteCount: UInt64(bytes.count))
        var graph: Range<Int>?
        let decoder = self
        try decoder.fields(0..<bytes.count) { (field, value, reader) throws(GraftError) in
            switch (field, value) {
            case (7, .bytes(let range)): graph = range
            case (8, .bytes(let range)): try readOperatorSet(range)
            case (14, .bytes(let range)): try readMetadata(range)
            default: break
            }
        }
        guard let graph else { throw GraftError(.format, "it holds no graph, as an ONNX model does") }
        try readGraph(graph)
    }

    private func fields(
        _ range: Range<Int>, _ body: (Int, ProtobufReader.FieldContent, ProtobufReader) throws(GraftError) -> Void
    ) throws(GraftError) {
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            try budget.take(items: 1)
            try body(field, value, reader)
        }
    }

    // MARK: Messages

    private mutating func readOperatorSet(_ range: Range<Int>) throws(GraftError) {
        var (domain, version) = ("", 0)
        let decoder = self
        try decoder.fields(range) { (field, value, reader) throws(GraftError) in
            if case (1, .bytes(let text)) = (field, value) { domain = reader.text(text) }
            if case (2, .varint(let number)) = (field, value) { version = ProtobufReader.integer(number) }
        }
        if ["", "ai.onnx"].contains(domain) { content.operatorSet = version }
    }

    private func entry(_ range: Range<Int>) throws(GraftError) -> (key: String, value: String) {
        var (key, text) = ("", "")
        try fields(range) { (field, value, reader) throws(GraftError) in
            if case (1, .bytes(let range)) = (field, value) { key = reader.text(range) }
            if case (2, .bytes(let range)) = (field, value) { text = reader.text(range) }
        }
        return (key, text)
    }

    private mutating func readMetadata(_ range: Range<Int>) throws(GraftError) {
        let (key, value) = try entry(range)
        content.metadata[key] = value
    }

    private mutating func readGraph(_ range: Range<Int>) throws(GraftError) {
        var inputs: [ONNXContent.Input] = []
        let decoder = self
        try decoder.fields(range) { (field, value, reader) throws(GraftError) in
            guard case .bytes(let range) = value else { return }
            switch field {
            case 1:
                let node = try decoder.node(range)
                content.nodes.append(node)
            case 2: content.name = reader.text(range)
            case 5:
                let (name, constant) = try decoder.constant(range)
                guard content.constants.updateValue(constant, forKey: name) == nil else {
                    throw GraftError(.format, "two initializers are called \(name.prefix(60))")
                }
            case 11: inputs.append(try decoder.input(range))
            case 12:
                let name = try decoder.input(range).name
                content.outputs.append(name)
            case 15: throw GraftError(.format, "it holds sparse initializers, which Graft does not read")
            default: break
            }
        }
        // Older files list initializers among the inputs, as their values may be replaced.
        content.inputs = inputs.filter { content.constants[$0.name] == nil }
    }

    private func node(_ range: Range<Int>) throws(GraftError) -> ONNXContent.Node {
        var node = ONNXContent.Node()
        try fields(range) { (field, value, reader) throws(GraftError) in
            guard case .bytes(let range) = value else { return }
            switch field {
            case 1: node.inputs.append(reader.text(range))
            case 2: node.outputs.append(reader.text(range))
            case 3: node.name = reader.text(range)
            case 4: node.type = reader.text(range)
            case 5:
                let (name, attribute) = try attribute(range)
                node.attributes[name] = attribute
            case 7: node.domain = reader.text(range)
            default: break
            }
        }
        return node
    }

    private func attribute(_ range: Range<Int>) throws(GraftError) -> (String, ONNXContent.Attribute) {
        var (name, integers, numbers) = ("", [Int](), [Float]())
        var (result, type) = (ONNXContent.Attribute?.none, UInt64(0))
        try fields(range) { (field, value, reader) throws(GraftError) in
            switch (field, value) {
            case (1, .bytes(let range)): name = reader.text(range)
            case (2, .fixed32(let bits)): result = .number(Float(bitPattern: bits))
            case (3, .varint(let number)): result = .integer(ProtobufReader.integer(number))
            case (4, .bytes(let range)): result = .text(reader.text(range))
            case (5, .bytes(let range)): result = .constant(try constant(range).constant)
            case (7, _): numbers += try reader.floats(value)
            case (8, _): integers += try reader.integers(value)
            case (20, .varint(let number)): type = number
            default: break
            }
        }
        if !integers.isEmpty || type == 7 { return (name, .integers(integers)) }
        if !numbers.isEmpty || type == 6 { return (name, .numbers(numbers)) }
        // Fields of their default values may be left out.
        let defaults: [UInt64: ONNXContent.Attribute] = [1: .number(0), 2: .integer(0), 3: .text("")]
        return (name, result ?? defaults[type] ?? .other)
    }

    /// A name, a type of elements and a shape: `ValueInfoProto`.
    private func input(_ range: Range<Int>) throws(GraftError) -> ONNXContent.Input {
        var result = ONNXContent.Input()
        var tensor: Range<Int>?
        try fields(range) { (field, value, reader) throws(GraftError) in
            if case (1, .bytes(let range)) = (field, value) { result.name = reader.text(range) }
            guard case (2, .bytes(let type)) = (field, value) else { return }
            try fields(type) { (field, value, _) throws(GraftError) in
                if case (1, .bytes(let range)) = (field, value) { tensor = range }
            }
        }
        guard let tensor else { return result }
        try fields(tensor) { (field, value, _) throws(GraftError) in
            if case (1, .varint(let number)) = (field, value) { result.type = Int(clamping: number) }
            guard case (2, .bytes(let shape)) = (field, value) else { return }
            try fields(shape) { (field, value, _) throws(GraftError) in
                guard case (1, .bytes(let dimension)) = (field, value) else { return }
                var size: Int?
                try fields(dimension) { (field, value, _) throws(GraftError) in
                    if case (1, .varint(let number)) = (field, value) { size = ProtobufReader.integer(number) }
                }
                result.dimensions.append(size.flatMap { $0 > 0 ? $0 : nil })
            }
        }
        return result
    }

    /// An array with its name: `TensorProto`.
    private func constant(_ range: Range<Int>) throws(GraftError) -> (name: String, constant: ONNXConstant) {
        var array = ONNXArrayMessage()
        try fields(range) { (field, value, reader) throws(GraftError) in
            if case (13, .bytes(let range)) = (field, value) {
                let (key, text) = try entry(range)
                array.external[key] = text
            } else {
                try array.take(field, value, reader)
            }
        }
        do throws(GraftError) {
            return (array.name, try array.constant(of: bytes, besides: path, external))
        } catch {
            throw error.inside("the array \(array.name.prefix(60))")
        }
    }
}
