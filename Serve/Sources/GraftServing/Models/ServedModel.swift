import Foundation
import Graft

/// A model that is served, as it was in its file at one moment.
final class ServedModel: Sendable {
    /// What clients call it.
    let name: String
    let classifier: Classifier
    let batcher: Batcher
    /// The file as it was.
    let state: FileState
    let inputName: String
    let outputName: String
    /// Of one example.
    let outputShape: [Int]

    /// Reads a model. It answers as fast as ever only after ``warm()``.
    init(name: String, path: String, _ machinery: Machinery) throws {
        state = try FileState(of: path)
        self.name = name
        classifier = try Classifier(contentsOf: path, options: machinery.options)
        batcher = Batcher(classifier, named: name, machinery.batching, machinery.compute, machinery.metrics)
        inputName = classifier.model.inputs.first?.layer.name ?? "input"
        let output = try classifier.model.output
        (outputName, outputShape) = (output.layer.name, output.shape.dimensions)
    }

    func warm() async throws { try await batcher.warm() }

    /// Decodes and answers an image.
    func answer(
        _ bytes: [UInt8], named name: String, deadline: ContinuousClock.Instant, _ machinery: Machinery
    ) async throws -> Classification {
        try await batcher.answer(name: name, deadline: deadline) {
            try await machinery.decoding.perform { [classifier] in
                try classifier.prepare(bytes, pixelLimit: machinery.pixelLimit)
            }
        }
    }
}

/// What all models share.
struct Machinery: Sendable {
    var options = TrainingOptions()
    var batching = Batcher.Settings()
    /// The most pixels of an image.
    var pixelLimit = 50_000_000
    let compute = ComputeThread()
    let decoding: DecodingPool
    let admission: Admission
    let bodies: BodyReader
    let metrics = Metrics()

    init(threads: Int?, queue: Int, bodyLimit: Int, totalBodyLimit: Int) {
        options.threads = threads
        decoding = DecodingPool(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
        admission = Admission(limit: queue)
        bodies = BodyReader(limit: bodyLimit, totalLimit: totalBodyLimit)
    }
}

/// What tells that a file is another one than before.
struct FileState: Sendable, Equatable {
    let modified: Date
    let size: Int
    let number: Int

    init(of path: String) throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        modified = attributes[.modificationDate] as? Date ?? .distantPast
        size = attributes[.size] as? Int ?? 0
        number = attributes[.systemFileNumber] as? Int ?? 0
    }
}
