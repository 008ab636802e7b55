import Foundation
import Graft

/// What a request asks a model about: images as numbers, or as files.
enum InferImages {
    /// A tensor an image.
    case prepared([Tensor])
    /// The bytes of a file each.
    case files([[UInt8]])

    var count: Int {
        switch self {
        case .prepared(let tensors): tensors.count
        case .files(let files): files.count
        }
    }

    /// - Throws: 400 for anything but the one input of the model, in its shape.
    init(_ request: InferRequest, for model: ServedModel, limit: Int) throws(Refusal) {
        guard let input = request.inputs.first, request.inputs.count == 1 else {
            throw .badRequest("the model has one input, \(model.inputName); the request has \(request.inputs.count)")
        }
        guard Array(input.name.utf8) == Array(model.inputName.utf8) else {
            throw .badRequest("the model's input is called \(model.inputName), not \(input.name)")
        }
        let isFiles = input.type == .bytes
        let example = isFiles ? [] : model.classifier.rule.shape.dimensions
        let isShaped =
            isFiles
            ? (1...2).contains(input.shape.count) && input.shape.dropFirst() == [1].prefix(input.shape.count - 1)
            : input.shape.count == 4 && Array(input.shape.dropFirst()) == example
        guard isShaped, let count = input.shape.first, count >= 1, count <= limit else {
            let expected = isFiles ? "[images]" : "[images, " + example.map(String.init).joined(separator: ", ") + "]"
            throw .badRequest(
                "\(input.name) has the shape \(input.shape); it needs \(expected) with 1 to \(limit) images")
        }
        if isFiles {
            self = .files(try Self.files(input, count: count))
        } else {
            self = .prepared(try Self.tensors(input, count: count, Shape(example)))
        }
    }

    private static func tensors(_ input: InferRequest.Input, count: Int, _ shape: Shape) throws(Refusal) -> [Tensor] {
        let size = shape.elementCount
        let values: [Float]
        switch input.content {
        case .binary(let bytes):
            let expected = count * size * (input.type.byteCount ?? 0)
            guard bytes.count == expected else {
                throw .badRequest(
                    "\(input.name) has \(bytes.count) bytes; its shape and \(input.type.rawValue) need \(expected)")
            }
            values = input.type.floats(bytes)
        case .elements:
            throw .badRequest("\(input.name) has elements of bytes; \(input.type.rawValue) needs numbers")
        case .json(let data):
            var numbers: [Float] = []
            try flatten(data, into: &numbers, limit: count * size)
            guard numbers.count == count * size else {
                throw .badRequest("\(input.name) has \(numbers.count) numbers; its shape needs \(count * size)")
            }
            values = numbers
        }
        guard values.allSatisfy(\.isFinite) else {
            throw .badRequest("\(input.name) has NaN or infinity among its numbers; pixels are from 0 to 255")
        }
        return (0..<count).map { number in Tensor(Array(values[(number * size)..<((number + 1) * size)]), shape: shape)
        }
    }

    /// Numbers in a list, or in lists of lists, in row-major order.
    private static func flatten(_ data: Configuration, into numbers: inout [Float], limit: Int) throws(Refusal) {
        for element in data.elements ?? [data] {
            if let number = element.number {
                guard numbers.count < limit else { throw .badRequest("data: more numbers than the shape has") }
                numbers.append(Float(number))
            } else if element.elements != nil {
                try flatten(element, into: &numbers, limit: limit)
            } else {
                throw .badRequest("data: needs numbers, or lists of them")
            }
        }
    }

    private static func files(_ input: InferRequest.Input, count: Int) throws(Refusal) -> [[UInt8]] {
        switch input.content {
        case .binary(let bytes): return try TensorType.texts(bytes, count: count)
        case .elements(let elements):
            guard elements.count == count else {
                throw .badRequest("\(input.name) has \(elements.count) elements; its shape needs \(count)")
            }
            return elements
        case .json(let data):
            let elements = (data.elements ?? []).flatMap { $0.elements ?? [$0] }
            guard elements.count == count else {
                throw .badRequest("\(input.name) has \(elements.count) elements; its shape needs \(count)")
            }
            var files: [[UInt8]] = []
            for (number, element) in elements.enumerated() {
                guard let text = element.text else {
                    throw .badRequest("data: needs files in Base64, as JSON holds no bytes")
                }
                files.append(try PredictRequest.decoded(text, number))
            }
            return files
        }
    }
}

extension InferImages {
    /// All answers, in order, or the first failure.
    func answers(
        by model: ServedModel, deadline: ContinuousClock.Instant, _ machinery: Machinery
    ) async throws -> [Classification] {
        try await withThrowingTaskGroup(of: (Int, Classification).self) { group in
            switch self {
            case .prepared(let tensors):
                for (number, tensor) in tensors.enumerated() {
                    group.addTask { (number, try await model.batcher.answer(name: "", deadline: deadline) { tensor }) }
                }
            case .files(let files):
                for (number, bytes) in files.enumerated() {
                    group.addTask { (number, try await model.answer(bytes, named: "", deadline: deadline, machinery)) }
                }
            }
            var answers = [Classification?](repeating: nil, count: count)
            for try await (number, answer) in group { answers[number] = answer }
            return answers.compactMap(\.self)
        }
    }
}
