import Graft

/// A request of `infer`: JSON, and behind it the bytes of binary tensors.
///
/// Source: the Open Inference Protocol, "Inference Request JSON Object", and Triton's extensions for binary tensor data and
/// classification.
struct InferRequest {
    /// A tensor that was sent.
    struct Input {
        let name: String
        let shape: [Int]
        let type: TensorType
        let content: Content

        enum Content {
            case json(Configuration)
            case binary(ArraySlice<UInt8>)
            /// Of a tensor of bytes, one by one.
            case elements([[UInt8]])
        }
    }

    /// A tensor that is wanted.
    struct Output {
        let name: String
        let isBinary: Bool
        /// How many classes are wanted instead of numbers; `nil` for numbers.
        let classCount: Int?
    }

    let id: String?
    private(set) var inputs: [Input] = []
    /// Empty where all are wanted as ``isBinary`` says.
    private(set) var outputs: [Output] = []
    /// Whether outputs are binary where nothing is said of them.
    let isBinary: Bool

    static let mostTensors = 16

    /// A request that was read from something else than JSON; its outputs are bytes.
    init(id: String?, inputs: [Input], outputs: [Output]) {
        (self.id, self.inputs, self.outputs, isBinary) = (id, inputs, outputs, true)
    }

    /// - Parameter headerLength: the bytes of JSON; all where it is `nil`.
    init(_ body: [UInt8], headerLength: Int?) throws {
        let length = headerLength ?? body.count
        guard (1...max(body.count, 1)).contains(length), length <= body.count else {
            throw Refusal.badRequest(
                "Inference-Header-Content-Length: got \(length), and the body has \(body.count) bytes; the JSON comes first, and has at least one"
            )
        }
        let object = try Configuration(json: Array(body[..<length]))
        guard object.members != nil else { throw Refusal.badRequest("the request is no JSON object") }
        id = try Self.optional(object["id"], "id", "text") { $0.text }
        isBinary = try Self.flag(object["parameters"], "binary_data_output") ?? false
        var binary = body[length...]
        for entry in try Self.list(object["inputs"], "inputs") { inputs.append(try Self.input(entry, &binary)) }
        guard binary.isEmpty else {
            throw Refusal.badRequest("\(binary.count) bytes are left behind the binary tensors that the JSON names")
        }
        if let wanted = object["outputs"] {
            outputs = try Self.list(wanted, "outputs").map { try Self.output($0, isBinary) }
        }
    }

    private static func input(_ entry: Configuration, _ binary: inout ArraySlice<UInt8>) throws(Refusal) -> Input {
        let name = try text(entry["name"], "inputs: name")
        let type = try TensorType(named: text(entry["datatype"], "inputs: datatype"))
        let shape = try list(entry["shape"], "inputs: shape").map { size throws(Refusal) in
            guard let number = size.integer, (0...1 << 31).contains(number) else {
                throw .badRequest("inputs: shape: needs whole numbers of at least 0")
            }
            return number
        }
        if let size = entry["parameters"]?["binary_data_size"] {
            guard let count = size.integer, count >= 0, count <= binary.count else {
                throw .badRequest(
                    "binary_data_size of \(name): got \(size.integer ?? -1), and \(binary.count) bytes are left in the body"
                )
            }
            let content = binary.prefix(count)
            binary = binary.dropFirst(count)
            return Input(name: name, shape: shape, type: type, content: .binary(content))
        }
        for unsupported in ["shared_memory_region", "shared_memory_byte_size"]
        where entry["parameters"]?[unsupported] != nil {
            throw .badRequest("\(unsupported): shared memory is not supported; send the tensor")
        }
        guard let data = entry["data"] else {
            throw .badRequest("inputs: \(name) has neither data nor binary_data_size")
        }
        return Input(name: name, shape: shape, type: type, content: .json(data))
    }

    private static func output(_ entry: Configuration, _ isBinary: Bool) throws(Refusal) -> Output {
        let parameters = entry["parameters"]
        let count = try optional(parameters?["classification"], "classification", "a whole number of at least 0") {
            value in
            value.integer.flatMap { (0...1_000_000).contains($0) ? $0 : nil }
        }
        return Output(
            name: try text(entry["name"], "outputs: name"),
            isBinary: try flag(parameters, "binary_data") ?? isBinary, classCount: count.flatMap { $0 > 0 ? $0 : nil })
    }

    private static func flag(_ parameters: Configuration?, _ name: String) throws(Refusal) -> Bool? {
        try optional(parameters?[name], name, "true or false") { $0.flag }
    }

    private static func optional<Value>(
        _ value: Configuration?, _ name: String, _ expected: String, _ read: (Configuration) -> Value?
    ) throws(Refusal) -> Value? {
        guard let value, !value.isNull else { return nil }
        guard let result = read(value) else { throw .badRequest("\(name): needs \(expected)") }
        return result
    }

    private static func text(_ value: Configuration?, _ name: String) throws(Refusal) -> String {
        guard let text = value?.text, text.utf8.count <= 1024 else { throw .badRequest("\(name): needs a text") }
        return text
    }

    private static func list(_ value: Configuration?, _ name: String) throws(Refusal) -> [Configuration] {
        guard let elements = value?.elements else { throw .badRequest("\(name): needs a list") }
        guard elements.count <= mostTensors else { throw .badRequest("\(name): more than \(mostTensors) entries") }
        return elements
    }
}
