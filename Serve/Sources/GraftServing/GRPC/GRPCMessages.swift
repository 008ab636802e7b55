import Graft

/// The messages of `inference.GRPCInferenceService` that are answered, by their fields' numbers.
///
/// Source: open-inference-protocol's `open_inference_grpc.proto`, Triton's `grpc_service.proto` and `model_config.proto`.
enum GRPCMessages {
    /// `ModelInferRequest`: the model, its version and what is asked.
    struct InferRequestMessage {
        var model = ""
        var version = ""
        var request: InferRequest
    }

    /// `name = 1`, `version = 2`: what most requests are.
    static func nameAndVersion(_ bytes: [UInt8]) throws -> (name: String, version: String) {
        var (name, version) = ("", "")
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            guard case .bytes(let range) = value else { continue }
            if field == 1 { name = reader.text(range) }
            if field == 2 { version = reader.text(range) }
        }
        return (name, version)
    }

    static func inferRequest(_ bytes: [UInt8]) throws -> InferRequestMessage {
        var (model, version, id) = ("", "", "")
        var inputs: [Tensor] = []
        var outputs: [InferRequest.Output] = []
        var raw: [Range<Int>] = []
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            guard case .bytes(let range) = value else { continue }
            switch field {
            case 1: model = reader.text(range)
            case 2: version = reader.text(range)
            case 3: id = reader.text(range)
            case 5: inputs.append(try tensor(bytes, range))
            case 6: outputs.append(try output(bytes, range))
            case 7: raw.append(range)
            default: break
            }
            guard max(inputs.count, outputs.count, raw.count) <= InferRequest.mostTensors else {
                throw Refusal.badRequest("more than \(InferRequest.mostTensors) tensors")
            }
        }
        guard raw.isEmpty || raw.count == inputs.count else {
            throw Refusal.badRequest("\(raw.count) raw contents for \(inputs.count) inputs")
        }
        let whole = try inputs.enumerated().map { number, input in
            InferRequest.Input(
                name: input.name, shape: input.shape, type: try TensorType(named: input.type),
                content: raw.isEmpty ? try input.content() : .binary(bytes[raw[number]]))
        }
        return InferRequestMessage(
            model: model, version: version,
            request: InferRequest(id: id.isEmpty ? nil : id, inputs: whole, outputs: outputs))
    }

    /// `InferInputTensor`.
    private struct Tensor {
        var name = ""
        var type = ""
        var shape: [Int] = []
        var floats: [Float]?
        var elements: [[UInt8]]?

        func content() throws(Refusal) -> InferRequest.Input.Content {
            if let elements { return .elements(elements) }
            guard let floats, type == TensorType.fp32.rawValue else {
                throw .badRequest(
                    "\(name) has no contents: raw_input_contents, fp32_contents or bytes_contents are taken")
            }
            return .binary(
                floats.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) } }[
                    ...])
        }
    }

    private static func tensor(_ bytes: [UInt8], _ range: Range<Int>) throws -> Tensor {
        var tensor = Tensor()
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let range)): tensor.name = reader.text(range)
            case (2, .bytes(let range)): tensor.type = reader.text(range)
            case (3, _):
                tensor.shape += try reader.integers(value)
                guard tensor.shape.count <= 16, tensor.shape.allSatisfy({ (0...1 << 31).contains($0) }) else {
                    throw Refusal.badRequest("\(tensor.name): the shape \(tensor.shape.prefix(16)) is none")
                }
            case (5, .bytes(let range)): try contents(bytes, range, &tensor)
            default: break
            }
        }
        return tensor
    }

    /// `InferTensorContents`.
    private static func contents(_ bytes: [UInt8], _ range: Range<Int>, _ tensor: inout Tensor) throws {
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (6, _): tensor.floats = (tensor.floats ?? []) + (try reader.floats(value))
            case (8, .bytes(let range)): tensor.elements = (tensor.elements ?? []) + [Array(bytes[range])]
            default:
                throw Refusal.badRequest("\(tensor.name): of typed contents fp32_contents and bytes_contents are taken")
            }
        }
    }

    /// `InferRequestedOutputTensor`.
    private static func output(_ bytes: [UInt8], _ range: Range<Int>) throws -> InferRequest.Output {
        var name = ""
        var classCount: Int?
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            guard case .bytes(let range) = value else { continue }
            if field == 1 { name = reader.text(range) }
            if field == 2, let count = try classification(bytes, range) { classCount = count }
        }
        return InferRequest.Output(name: name, isBinary: true, classCount: classCount)
    }

    /// The entry `classification` of `map<string, InferParameter>`.
    private static func classification(_ bytes: [UInt8], _ range: Range<Int>) throws -> Int? {
        var key = ""
        var number: Int?
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            guard case .bytes(let range) = value else { continue }
            if field == 1 { key = reader.text(range) }
            guard field == 2 else { continue }
            var inner = ProtobufReader(bytes, range)
            while let (field, value) = try inner.next() {
                if field == 2, case .varint(let bits) = value { number = ProtobufReader.integer(bits) }
            }
        }
        guard key == "classification", let number else { return nil }
        guard (1...1_000_000).contains(number) else {
            throw Refusal.badRequest("classification: needs a whole number of at least 1")
        }
        return number
    }

    // MARK: Answers

    static func flag(_ value: Bool) -> ProtobufWriter {
        var message = ProtobufWriter()
        if value { message.add(1, 1) }
        return message
    }

    static func inferResponse(_ response: InferResponse) throws -> ProtobufWriter {
        let outputs = try response.outputs()
        var message = ProtobufWriter()
        message.add(1, response.model.name)
        message.add(2, ProtocolRoutes.version)
        if let id = response.request.id { message.add(3, id) }
        for output in outputs { message.add(5, tensor(output.name, output.type, output.shape)) }
        for output in outputs { message.add(6, bytes: output.bytes) }
        return message
    }

    /// `TensorMetadata`, which outputs begin with too.
    private static func tensor(_ name: String, _ type: TensorType, _ shape: [Int]) -> ProtobufWriter {
        var message = ProtobufWriter()
        message.add(1, name)
        message.add(2, type.rawValue)
        message.add(3, packed: shape)
        return message
    }

    static func metadata(of model: ServedModel) -> ProtobufWriter {
        var message = ProtobufWriter()
        message.add(1, model.name)
        message.add(2, ProtocolRoutes.version)
        message.add(3, "graft")
        message.add(4, tensor(model.inputName, .fp32, [-1] + model.classifier.rule.shape.dimensions))
        message.add(5, tensor(model.outputName, .fp32, [-1] + model.outputShape))
        return message
    }

    /// `ModelConfigResponse`, with the types and the format by Triton's numbers.
    static func configuration(of model: ServedModel, batchLimit: Int) -> ProtobufWriter {
        let (floats, heightWidthChannels) = (11, 1)
        var input = ProtobufWriter()
        input.add(1, model.inputName)
        input.add(2, floats)
        input.add(3, heightWidthChannels)
        input.add(4, packed: model.classifier.rule.shape.dimensions)
        var output = ProtobufWriter()
        output.add(1, model.outputName)
        output.add(2, floats)
        output.add(3, packed: model.outputShape)
        var configuration = ProtobufWriter()
        configuration.add(1, model.name)
        configuration.add(2, "graft")
        configuration.add(4, batchLimit)
        configuration.add(5, input)
        configuration.add(6, output)
        configuration.add(17, "graft")
        var message = ProtobufWriter()
        message.add(1, configuration)
        return message
    }

    static func server(version: String) -> ProtobufWriter {
        var message = ProtobufWriter()
        message.add(1, "graft")
        message.add(2, version)
        for name in ["classification", "model_configuration", "model_repository"] { message.add(3, name) }
        return message
    }

    /// `RepositoryIndexResponse`.
    static func index(_ names: [String]) -> ProtobufWriter {
        var message = ProtobufWriter()
        for name in names {
            var entry = ProtobufWriter()
            entry.add(1, name)
            entry.add(2, ProtocolRoutes.version)
            entry.add(3, "READY")
            message.add(1, entry)
        }
        return message
    }
}
