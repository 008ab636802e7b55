import Graft
import HTTPTypes
import Hummingbird
import NIOCore

/// What `infer` answers: JSON, and behind it the bytes of outputs that were asked for so.
struct InferResponse {
    let model: ServedModel
    let request: InferRequest
    let answers: [Classification]

    /// An output as it goes to the client.
    struct Output {
        let name: String
        let type: TensorType
        let shape: [Int]
        let isBinary: Bool
        /// Numbers, or texts.
        let numbers: [Double]
        let texts: [String]

        /// As the protocol's binary form has them.
        var bytes: [UInt8] {
            type == .bytes
                ? texts.flatMap { text in littleEndian(UInt32(text.utf8.count)) + Array(text.utf8) }
                : numbers.flatMap { littleEndian(Float($0).bitPattern) }
        }

        private func littleEndian(_ number: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
        }
    }

    /// What was asked for.
    ///
    /// - Throws: 400 for an output that the model does not have, or classes of one that has none.
    func outputs() throws(Refusal) -> [Output] {
        let wanted =
            request.outputs.isEmpty
            ? [InferRequest.Output(name: model.outputName, isBinary: request.isBinary, classCount: nil)]
            : request.outputs
        return try wanted.map { output throws(Refusal) in try self.output(output) }
    }

    private func output(_ wanted: InferRequest.Output) throws(Refusal) -> Output {
        guard Array(wanted.name.utf8) == Array(model.outputName.utf8) else {
            throw .badRequest("the model's output is called \(model.outputName), not \(wanted.name)")
        }
        if let count = wanted.classCount {
            let texts = try classes(count)
            return Output(
                name: wanted.name, type: .bytes, shape: [answers.count, texts.count / max(answers.count, 1)],
                isBinary: wanted.isBinary, numbers: [], texts: texts)
        }
        return Output(
            name: wanted.name, type: .fp32, shape: [answers.count] + model.outputShape, isBinary: wanted.isBinary,
            numbers: answers.flatMap(\.outputs), texts: [])
    }

    /// The outputs as JSON, and bytes behind it.
    func response(packed packing: Packing?) throws(Refusal) -> Response {
        let outputs = try outputs()
        var binary: [UInt8] = []
        let objects = outputs.map { output in
            var object = JSONObject()
            object.add("name", .string(output.name))
            object.add("datatype", .string(output.type.rawValue))
            object.add("shape", .values(output.shape.map { .int($0) }))
            if output.isBinary {
                add(output.bytes, &binary, &object)
            } else {
                object.add("data", output.type == .bytes ? .strings(output.texts) : .numbers(output.numbers))
            }
            return object
        }
        var header = JSONObject()
        header.add("model_name", .string(model.name))
        header.add("model_version", .string(ProtocolRoutes.version))
        if let id = request.id { header.add("id", .string(id)) }
        header.add("outputs", .objects(objects))
        return try response(header.line, binary, packing, isBinary: outputs.contains(where: \.isBinary))
    }

    private func add(_ bytes: [UInt8], _ binary: inout [UInt8], _ object: inout JSONObject) {
        var parameters = JSONObject()
        parameters.add("binary_data_size", .int(bytes.count))
        object.add("parameters", .object(parameters))
        binary += bytes
    }

    /// `score:index:label`, the highest first, as Triton writes them.
    private func classes(_ count: Int) throws(Refusal) -> [String] {
        let names = model.classifier.classNames
        guard !names.isEmpty else {
            throw .badRequest("classification: the outputs of \(model.name) stand for no classes")
        }
        let numbers = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
        return answers.flatMap { answer in
            answer.classes.prefix(count).map { "\(Float($0.value)):\(numbers[$0.name] ?? 0):\($0.name)" }
        }
    }

    private func response(
        _ header: String, _ binary: [UInt8], _ packing: Packing?, isBinary: Bool
    ) throws(Refusal) -> Response {
        let json = Array(header.utf8)
        var fields = HTTPFields()
        fields[.contentType] = isBinary ? "application/octet-stream" : "application/json"
        if isBinary { fields[.inferenceHeaderLength] = String(json.count) }
        var bytes = json + binary
        if let packing {
            bytes = try packing.pack(bytes)
            fields[.contentEncoding] = packing.rawValue
        }
        return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
