import Dispatch
import GraftData
import GraftGraph
import GraftRuntime
import Synchronization

import struct Foundation.UUID

/// What a pass over the trunk tells while it runs.
package enum FeatureEvent: Sendable {
    /// Features of so many examples were found in the cache, from an earlier run; told where there are any.
    case found(Int)
    /// Features were computed for so many of the examples that had none yet.
    case computed(Progress)
    /// An example cannot be read and is left out. Told once an example.
    case unreadable(ExampleFailure)
}

/// Makes sure that the features of all examples of some datasets are kept: finds those that are, computes the others.
///
/// Some runs of the trunk go on at once. While each computes a batch, its next one is decoded and the features of those before
/// are written. Memory holds three batches and two batches of features for each run, two batches of features more and some 200
/// bytes an image; it does not grow with features.
package struct FeaturePass {
    let cache: FeatureCache
    /// Told of progress and of examples that cannot be read.
    let emit: (FeatureEvent) throws -> Void
    /// Throws where somebody asked to stop; called before each batch.
    let checkCancellation: () throws -> Void
    /// Where decoded batches and the trunk's thread are written down.
    let timeline: Timeline?

    /// A pass that keeps features in a cache.
    ///
    /// - Parameters:
    ///   - emit: told of progress and of examples that cannot be read; what it throws ends the pass.
    ///   - checkCancellation: throws where somebody asked to stop; called before each batch.
    ///   - timeline: where decoded batches are written down.
    package init(
        cache: FeatureCache, emit: @escaping (FeatureEvent) throws -> Void,
        checkCancellation: @escaping () throws -> Void, timeline: Timeline? = nil
    ) {
        (self.cache, self.emit, self.checkCancellation) = (cache, emit, checkCancellation)
        self.timeline = timeline
    }

    /// A dataset whose features are wanted.
    package struct Request {
        let dataset: any Dataset
        package let trunk: Trunk
        /// The views whose features are wanted; at least one.
        let views: Set<Int>

        /// The features of a dataset's views.
        package init(dataset: any Dataset, trunk: Trunk, views: Set<Int> = [0]) {
            (self.dataset, self.trunk, self.views) = (dataset, trunk, views)
        }
    }

    /// How many views of a dataset need fingerprints: up to the last whose features are wanted.
    package static func count(of views: Set<Int>) -> Int { (views.max() ?? 0) + 1 }

    /// The features of a dataset, and what could not be had.
    package struct Outcome {
        package let source: FeatureSource
        package let failures: [ExampleFailure]
        package let reusedCount: Int
    }

    /// Where a request's features are and which are missing.
    private struct Survey {
        let request: Request
        let source: FeatureSource
        let missing: [Int]
        /// How many rows are wanted.
        var wantedCount: Int { request.dataset.count * request.views.count }
        var rowByteCount: Int { request.trunk.rowByteCount }
        var reusedCount: Int { wantedCount - missing.count }
    }

    /// The features of each dataset.
    ///
    /// - Throws: `GraftError` with code `file` where the disk has too little space, or what `checkCancellation` throws;
    ///   features computed until then are kept.
    package func run(_ requests: [Request], _ fingerprints: Prefetcher<[String?]>) throws -> [Outcome] {
        let surveys = try survey(requests, fingerprints)
        try makeRoom(for: surveys)
        let total = surveys.reduce(0) { $0 + $1.missing.count }
        let reused = surveys.reduce(0) { $0 + $1.reusedCount }
        if reused > 0 { try emit(.found(reused)) }
        let clock = Stopwatch()
        var (done, failures) = (0, [[ExampleFailure]](repeating: [], count: surveys.count))
        for group in groups(of: surveys) {
            let found = try compute(group.map { surveys[$0] }) { count in
                done += count
                try emit(.computed(Progress(done: done, total: total, elapsed: clock.seconds)))
            }
            for (position, found) in zip(group, found) { failures[position] = found }
        }
        return zip(surveys, failures).map { survey, failures in
            Outcome(source: survey.source, failures: failures, reusedCount: survey.reusedCount)
        }
    }

    /// The surveys with something missing, by their positions, those with the same trunk together.
    private func groups(of surveys: [Survey]) -> [[Int]] {
        var groups: [[Int]] = []
        for (position, survey) in surveys.enumerated() where !survey.missing.isEmpty {
            let key = survey.request.trunk.key
            if let known = groups.firstIndex(where: { surveys[$0[0]].request.trunk.key == key }) {
                groups[known].append(position)
            } else {
                groups.append([position])
            }
        }
        return groups
    }

    /// Room for all rows as they are: how much smaller they get is known when they are there.
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
    private func survey(_ requests: [Request], _ fingerprints: Prefetcher<[String?]>) throws -> [Survey] {
        var folders: [TrunkKey: FeatureFolder] = [:]
        let sources = try requests.map { request in
            let source = try makeSource(request, fingerprints.next() ?? [], &folders)
            source.kept.removeDamaged(among: source.keys)
            return source
        }
        return zip(requests, sources).map { request, source in
            let missing = Self.numbers(request).filter { source.kept.location(of: source.keys[$0]) == nil }
            return Survey(request: request, source: source, missing: missing)
        }
    }

    /// The numbers of the views that are wanted, all those of an example behind one another, so that it is decoded once for
    /// all of them where a batch has them.
    private static func numbers(_ request: Request) -> [Int] {
        let (dataset, views) = (request.dataset, request.views.sorted())
        return (0..<dataset.count).flatMap { example in views.map { dataset.number(ofExample: example, view: $0) } }
    }

    private func makeSource(
        _ request: Request, _ fingerprints: [String?], _ folders: inout [TrunkKey: FeatureFolder]
    ) throws -> FeatureSource {
        let (dataset, rowByteCount) = (request.dataset, request.trunk.rowByteCount)
        let run = UUID().uuidString
        var unkept: Set<Int> = []
        let keys = fingerprints.enumerated().map { index, fingerprint in
            // A file that cannot be read has no fingerprint; decoding will say what is wrong with it.
            if let fingerprint { return FeatureKey(fingerprint: fingerprint) }
            unkept.insert(index)
            return FeatureKey(fingerprint: "\(run) \(index)")
        }
        let kept = try folders[request.trunk.key] ?? cache.folder(trunk: request.trunk.key, rowByteCount: rowByteCount)
        folders[request.trunk.key] = kept
        return FeatureSource(
            dataset: dataset, keys: keys, kept: kept, unkept: unkept,
            temporary: unkept.isEmpty ? nil : try FeatureCache.temporaryFolder(rowByteCount: rowByteCount),
            shapes: request.trunk.shapes)
    }

    /// The fingerprints of each dataset's examples in its first views, taken while whoever asked does something else.
    package func fingerprints(of datasets: [(data: any Dataset, views: Int)]) -> Prefetcher<[String?]> {
        var rest = datasets[...]
        return Prefetcher(name: "graft fingerprints", ahead: datasets.count) {
            rest.popFirst().map { Self.fingerprints(of: $0.data, count: $0.data.count * $0.views) }
        }
    }

    /// The first fingerprints, read by all processors; `nil` for those that cannot be read or have none.
    private static func fingerprints(of dataset: any Dataset, count: Int) -> [String?] {
        let part = 64
        let parts = Mutex([Int: [String?]]())
        DispatchQueue.concurrentPerform(iterations: (count + part - 1) / part) { number in
            let indices = number * part..<min((number + 1) * part, count)
            let found = indices.map { (try? dataset.fingerprint(of: $0)).flatMap(\.self) }
            parts.withLock { $0[number] = found }
        }
        return parts.withLock { parts in parts.keys.sorted().flatMap { parts[$0] ?? [] } }
    }

    /// Computes what is missing of some surveys with one trunk, batch by batch; a shard that is begun is completed however
    /// the pass ends.
    ///
    /// - Returns: for each survey what cannot be read.
    private func compute(_ surveys: [Survey], report: (Int) throws -> Void) throws -> [[ExampleFailure]] {
        guard let trunk = surveys.first?.request.trunk else { return [] }
        let source = JoinedSource(surveys.map(\.source.dataset), streams: trunk.concurrentRuns)
        let recordings = surveys.map { FeatureRecording($0.source, cache: cache) }
        defer { for recording in recordings { try? recording.finish() } }
        // The first examples are decoded while the trunk is made ready.
        let streams = streams(of: surveys, from: source, count: trunk.concurrentRuns)
        let runner = try trunk.makeRunner()
        try checkCancellation()
        var runs = streams.map { runner.features(of: $0, timeline: timeline) }
        defer { for run in runs { run.end() } }
        var failures = surveys.map { _ in [ExampleFailure]() }
        var unreadable = surveys.map { _ in Set<Int>() }
        while !runs.isEmpty {
            // One batch of each in turn, so that rows and failures have the same order however fast each run is.
            runs = try runs.filter { run in
                guard let (batch, features) = try run.next() else { return false }
                try checkCancellation()
                for failure in batch.failures {
                    var (part, own) = source.separated(failure)
                    own.index = surveys[part].request.dataset.example(ofNumber: own.index)
                    // Once, however many views of it were asked for.
                    guard unreadable[part].insert(own.index).inserted else { continue }
                    try emit(.unreadable(own))
                    failures[part].append(own)
                }
                for piece in source.pieces(of: batch.indices) {
                    try recordings[piece.part].append(features, rows: piece.rows, of: piece.indices)
                }
                try report(batch.indices.count + batch.failures.count)
                return true
            }
        }
        // Here failures count; in the `defer` above something else has already gone wrong.
        for recording in recordings { try recording.finish() }
        return failures
    }

    /// What is missing of some surveys, its batches dealt out to so many streams.
    private func streams(of surveys: [Survey], from source: JoinedSource, count: Int) -> [BatchStream<SourceBatch>] {
        var orders = [[Int]](repeating: [], count: count)
        let missing = surveys.enumerated().flatMap { part, survey in
            survey.missing.map { source.number(of: $0, in: part) }
        }
        for (position, number) in missing.enumerated() { orders[position / Trunk.batchSize % count].append(number) }
        return orders.map { BatchStream(source, order: $0, batchSize: Trunk.batchSize, profiler: timeline) }
    }
}
