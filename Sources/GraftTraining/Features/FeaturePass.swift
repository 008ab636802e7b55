import Foundation
import GraftGraph
import GraftModel
import Synchronization

/// Makes sure that the features of all examples of some datasets are kept: finds those that are, computes the others.
///
/// While the trunk computes a batch, the next one is decoded and the features of the one before are written. Memory holds
/// two batches, three batches of features and 32 bytes an image; it does not grow with features.
struct FeaturePass {
    let cache: FeatureCache
    /// Told of progress and of examples that cannot be read.
    let emit: (TrainingEvent) throws -> Void
    /// Throws where somebody asked to stop; called before each batch.
    let checkCancellation: () throws -> Void
    /// Is told of every batch that was decoded.
    var profiler: Profiler?

    /// A dataset whose features are wanted.
    struct Request {
        let dataset: any Dataset
        let trunk: Trunk
    }

    /// The features of a dataset, and what could not be had.
    struct Outcome {
        let source: FeatureSource
        let failures: [ExampleFailure]
        let reusedCount: Int
    }

    /// Where a request's features are and which are missing.
    private struct Survey {
        let request: Request
        let source: FeatureSource
        let missing: [Int]
        var rowByteCount: Int { request.trunk.rowByteCount }
        var reusedCount: Int { request.dataset.count - missing.count }
    }

    /// The features of each dataset.
    ///
    /// - Throws: `GraftError` with code `file` where the disk has too little space, or what `checkCancellation` throws;
    ///   features computed until then are kept.
    func run(_ requests: [Request]) throws -> [Outcome] {
        let surveys = try survey(requests)
        try makeRoom(for: surveys)
        let total = surveys.reduce(0) { $0 + $1.missing.count }
        let reused = surveys.reduce(0) { $0 + $1.reusedCount }
        if reused > 0 { try emit(.featuresFound(reused)) }
        let clock = Stopwatch()
        var (done, runner) = (0, TrunkRunner?.none)
        return try surveys.map { survey in
            let trunk = survey.request.trunk
            if !survey.missing.isEmpty, runner?.key != trunk.key { runner = try trunk.makeRunner() }
            let failures = try compute(survey, with: runner) { count in
                done += count
                try emit(.features(Progress(done: done, total: total, elapsed: clock.seconds)))
            }
            return Outcome(source: survey.source, failures: failures, reusedCount: survey.reusedCount)
        }
    }

    private func makeRoom(for surveys: [Survey]) throws {
        let kept = surveys.reduce(0) { sum, survey in
            sum + survey.missing.count { !survey.source.unkept.contains($0) } * survey.rowByteCount
        }
        try cache.makeRoom(for: kept, in: surveys.map(\.source.kept))
        let temporary = surveys.reduce(0) { $0 + $1.source.unkept.count * $1.rowByteCount }
        if let folder = surveys.lazy.compactMap(\.source.temporary).first {
            try FeatureCache.checkSpace(for: temporary, in: folder)
        }
    }

    /// Opens the folders and finds what is missing, once damaged rows are out of all of them.
    private func survey(_ requests: [Request]) throws -> [Survey] {
        var folders: [TrunkKey: FeatureFolder] = [:]
        let sources = try requests.map { request in
            let source = try makeSource(request, &folders)
            source.kept.removeDamaged(among: source.keys)
            return source
        }
        return zip(requests, sources).map { request, source in
            let missing = source.keys.indices.filter { source.kept.location(of: source.keys[$0]) == nil }
            return Survey(request: request, source: source, missing: missing)
        }
    }

    private func makeSource(
        _ request: Request, _ folders: inout [TrunkKey: FeatureFolder]
    ) throws -> FeatureSource {
        let (dataset, rowByteCount) = (request.dataset, request.trunk.rowByteCount)
        let run = UUID().uuidString
        var unkept: Set<Int> = []
        let keys = fingerprints(of: dataset).enumerated().map { index, fingerprint in
            // A file that cannot be read has no fingerprint; decoding will say what is wrong with it.
            if let fingerprint { return FeatureKey(fingerprint: fingerprint) }
            unkept.insert(index)
            return FeatureKey(fingerprint: "\(run) \(index)")
        }
        let kept = try folders[request.trunk.key] ?? openFolder(request, rowCount: dataset.count)
        folders[request.trunk.key] = kept
        return FeatureSource(
            dataset: dataset, keys: keys, kept: kept, unkept: unkept,
            temporary: unkept.isEmpty ? nil : try FeatureCache.temporaryFolder(rowByteCount: rowByteCount),
            shapes: request.trunk.shapes)
    }

    /// The fingerprints of all examples, read by all processors; `nil` for those that cannot be read or have none.
    private func fingerprints(of dataset: any Dataset) -> [String?] {
        let part = 64
        let parts = Mutex([Int: [String?]]())
        DispatchQueue.concurrentPerform(iterations: (dataset.count + part - 1) / part) { number in
            let indices = number * part..<min((number + 1) * part, dataset.count)
            let found = indices.map { (try? dataset.fingerprint(of: $0)).flatMap(\.self) }
            parts.withLock { $0[number] = found }
        }
        return parts.withLock { parts in parts.keys.sorted().flatMap { parts[$0] ?? [] } }
    }

    /// The trunk's folder; a temporary one where the features of this run alone are beyond the limit.
    private func openFolder(_ request: Request, rowCount: Int) throws -> FeatureFolder {
        let rowByteCount = request.trunk.rowByteCount
        guard rowCount * rowByteCount <= cache.byteLimit else {
            return try FeatureCache.temporaryFolder(rowByteCount: rowByteCount)
        }
        return try cache.folder(trunk: request.trunk.key, rowByteCount: rowByteCount)
    }

    /// Computes what is missing, batch by batch; a shard that is begun is completed however the pass ends.
    private func compute(
        _ survey: Survey, with runner: TrunkRunner?, report: (Int) throws -> Void
    ) throws -> [ExampleFailure] {
        guard !survey.missing.isEmpty, let runner else { return [] }
        let source = survey.source
        let recording = FeatureRecording(source)
        defer { try? recording.finish() }
        let stream = BatchStream(
            DecodedSource(dataset: source.dataset), order: survey.missing, batchSize: Trunk.batchSize,
            profiler: profiler)
        var failures: [ExampleFailure] = []
        try checkCancellation()
        while let batch = try stream.next() {
            try checkCancellation()
            for failure in batch.failures { try emit(.problem(failure)) }
            failures += batch.failures
            let features = batch.indices.isEmpty ? [] : try runner.run(batch.inputs)
            try recording.append(features, of: batch.indices)
            try report(batch.indices.count + batch.failures.count)
        }
        // Here failures count; in the `defer` above something else has already gone wrong.
        try recording.finish()
        return failures
    }
}
