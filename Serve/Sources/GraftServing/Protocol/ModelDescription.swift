import Foundation
import Graft

/// What the protocol says of a model.
struct ModelDescription {
    private let model: ServedModel
    private let batchLimit: Int

    init(_ model: ServedModel, batchLimit: Int) { (self.model, self.batchLimit) = (model, batchLimit) }

    /// Names, types and shapes; -1 for any number of images.
    var metadata: JSONObject {
        var object = JSONObject()
        object.add("name", .string(model.name))
        object.add("versions", .strings([ProtocolRoutes.version]))
        object.add("platform", .string("graft"))
        object.add("inputs", .objects([tensor(model.inputName, inputShape)]))
        object.add("outputs", .objects([tensor(model.outputName, model.outputShape)]))
        return object
    }

    private var inputShape: [Int] { model.classifier.rule.shape.dimensions }

    private func tensor(_ name: String, _ shape: [Int]) -> JSONObject {
        var object = JSONObject()
        object.add("name", .string(name))
        object.add("datatype", .string(TensorType.fp32.rawValue))
        object.add("shape", .values(([-1] + shape).map { .int($0) }))
        return object
    }

    /// As Triton writes its `ModelConfig`: what its clients of images need.
    var configuration: JSONObject {
        var object = JSONObject()
        object.add("name", .string(model.name))
        object.add("platform", .string("graft"))
        object.add("backend", .string("graft"))
        object.add("max_batch_size", .int(batchLimit))
        var input = JSONObject()
        input.add("name", .string(model.inputName))
        input.add("data_type", .string("TYPE_FP32"))
        input.add("format", .string("FORMAT_NHWC"))
        input.add("dims", .values(inputShape.map { .int($0) }))
        object.add("input", .objects([input]))
        var output = JSONObject()
        output.add("name", .string(model.outputName))
        output.add("data_type", .string("TYPE_FP32"))
        output.add("dims", .values(model.outputShape.map { .int($0) }))
        object.add("output", .objects([output]))
        return object
    }

    /// Counts and nanoseconds, in the form of Triton's statistics extension.
    static func statistics(of name: String, _ metrics: Metrics) -> JSONObject {
        let counts = metrics.counts(of: name)
        func duration(_ count: Int, _ seconds: Double) -> JSONObject.Value {
            var object = JSONObject()
            object.add("count", .int(count))
            object.add("ns", .int(Int(seconds * 1e9)))
            return .object(object)
        }
        var inference = JSONObject()
        inference.add("success", duration(counts.requests, counts.requestSeconds))
        inference.add("fail", duration(counts.failures, 0))
        inference.add("compute_infer", duration(counts.batches, counts.computeSeconds))
        var object = JSONObject()
        object.add("name", .string(name))
        object.add("version", .string(ProtocolRoutes.version))
        object.add("last_inference", .int(Int((counts.last?.timeIntervalSince1970 ?? 0) * 1000)))
        object.add("inference_count", .int(counts.images))
        object.add("execution_count", .int(counts.batches))
        object.add("inference_stats", .object(inference))
        return object
    }
}

extension JSONObject {
    /// A list as JSON text, for answers that are one.
    static func list(_ values: [Value]) -> String {
        var object = JSONObject()
        object.add("x", .values(values))
        // Behind the name, without the brace that closes.
        return String(object.line.dropFirst(#"{"x":"#.count).dropLast())
    }
}
