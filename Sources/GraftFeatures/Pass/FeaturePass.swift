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
    /// What will be computed, before anything is; told where something is missing.
    case needed(FeatureDemand)
    /// Features were computed for so many of the examples that had none yet.
    case computed(Progress)
    /// An example cannot be read and is left out. Told once an example.
    case unreadable(ExampleFailure)
}

/// Makes sure that the features of all examples of some datasets are cached: finds those that are, computes the others.
///
/// Several runs of the trunk are active at once. While each computes a batch, its next one is decoded and the features of those before
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

    /// The features of a dataset, and the examples without any.
    package struct Outcome {
        package let source: FeatureSource
        package let failures: [ExampleFailure]
        package let reusedCount: Int
    }

    /// A request's cache lookup: its hits and misses.
    private struct CacheLookup {
        let request: Request
        let source: FeatureSource
        let missing: [Int]
        /// How many are the same as a missing one.
        let repeatedCount: Int
        /// How many rows are wanted.
        var wantedCount: Int { request.dataset.count * request.views.count }
        var rowByteCount: Int { request.trunk.rowByteCount }
        var reusedCount: Int { wantedCount - missing.count - repeatedCount }
    }

    /// The features of each dataset.
    ///
    /// - Throws: `GraftError` with code `file` where the disk has too little space, `argument` where several views need more
    ///   than the cache may hold, or what `checkCancellation` throws; features computed until then are kept.
    package func run(_ requests: [Request], _ fingerprints: Prefetcher<[String?]>) throws -> [Outcome] {
        let lookups = try lookup(requests, fingerprints)
        let demand = try demand(of: lookups)
        if demand.missing > 0 { try emit(.needed(demand)) }
        try demand.checkLimit()
        try makeRoom(for: lookups)
        let total = lookups.reduce(0) { $0 + $1.missing.count }
        let reused = lookups.reduce(0) { $0 + $1.reusedCount }
        if reused > 0 { try emit(.found(reused)) }
        let clock = Stopwatch()
        var (done, failures) = (0, [[ExampleFailure]](repeating: [], count: lookups.count))
        for group in groups(of: lookups) {
            let found = try compute(group.map { lookups[$0] }) { count in
                done += count
                try emit(.computed(Progress(done: done, total: total, elapsed: clock.seconds)))
            }
            for (position, found) in zip(group, found) { failures[position] = found }
        }
        return zip(lookups, failures).map { lookup, failures in
            Outcome(
                source: lookup.source, failures: failures + Self.repeated(failures, in: lookup),
                reusedCount: lookup.reusedCount)
        }
    }

    /// The failures of examples that are the same as one that cannot be read.
    private static func repeated(_ failures: [ExampleFailure], in lookup: CacheLookup) -> [ExampleFailure] {
        guard !failures.isEmpty else { return [] }
        let (dataset, keys) = (lookup.request.dataset, lookup.source.keys)
        var known = Set(failures.map(\.index))
        var reasons: [FeatureKey: ExampleFailure] = [:]
        let numbers = numbers(lookup.request)
        for failure in failures {
            for view in lookup.request.views {
                reasons[keys[dataset.number(ofExample: failure.index, view: view)]] = failure
            }
        }
        return numbers.compactMap { number in
            let example = dataset.example(ofNumber: number)
            guard let reason = reasons[keys[number]], known.insert(example).inserted else { return nil }
            return ExampleFailure(index: example, path: reason.path, message: reason.message)
        }
    }

    /// The lookups with misses, by position, those of the same trunk together.
    private func groups(of lookups: [CacheLookup]) -> [[Int]] {
        var groups: [[Int]] = []
        for (position, lookup) in lookups.enumerated() where !lookup.missing.isEmpty {
            let key = lookup.request.trunk.key
            if let known = groups.firstIndex(where: { lookups[$0[0]].request.trunk.key == key }) {
                groups[known].append(position)
            } else {
                groups.append([position])
            }
        }
        return groups
    }

    /// What is missing, and what it may take.
    private func demand(of lookups: [CacheLookup]) throws -> FeatureDemand {
        FeatureDemand(
            views: lookups.map(\.request.views.count).max() ?? 1,
            missing: lookups.reduce(0) { $0 + $1.missing.count },
            byteCount: lookups.reduce(0) { $0 + $1.missing.count * $1.rowByteCount },
            keptByteCount: try lookups.reduce(0) { sum, lookup in
                let found = Self.numbers(lookup.request).filter {
                    lookup.source.kept.location(of: lookup.source.keys[$0]) != nil
                }
                return try found.reduce(sum) { try $0 + lookup.source.packedByteCount(of: $1) }
            },
            byteLimit: cache.byteLimit)
    }

    /// Reserves the uncompressed size; the compressed one is unknown until rows are written.
    private func makeRoom(for lookups: [CacheLookup]) throws {
        let kept = lookups.reduce(0) { sum, lookup in
            sum + lookup.missing.count { !lookup.source.uncacheable.contains($0) } * lookup.rowByteCount
        }
        try cache.makeRoom(for: kept, in: lookups.map(\.source.kept))
        let temporary = lookups.reduce(0) { $0 + $1.source.uncacheable.count * $1.rowByteCount }
        if let folder = lookups.lazy.compactMap(\.source.temporary).first {
            try FeatureCache.checkSpace(for: temporary, in: folder)
        }
    }

    /// Opens the folders and finds the misses, after damaged rows are removed from all of them.
    private func lookup(_ requests: [Request], _ fingerprints: Prefetcher<[String?]>) throws -> [CacheLookup] {
        var folders: [TrunkKey: FeatureFolder] = [:]
        let sources = try requests.map { request in
            let source = try makeSource(request, fingerprints.next() ?? [], &folders)
            source.kept.removeDamaged(among: source.keys)
            return source
        }
        return zip(requests, sources).map { request, source in
            let absent = Self.numbers(request).filter { source.kept.location(of: source.keys[$0]) == nil }
            // The same image twice is computed once.
            var seen: Set<FeatureKey> = []
            let missing = absent.filter { seen.insert(source.keys[$0]).inserted }
            return CacheLookup(
                request: request, source: source, missing: missing, repeatedCount: absent.count - missing.count)
        }
    }

    /// The numbers of the views that are wanted, all those of an example in a row, so that it is decoded once for
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
        var uncacheable: Set<Int> = []
        let keys = fingerprints.enumerated().map { index, fingerprint in
            // A file that cannot be read has no fingerprint; decoding will say what is wrong with it.
            if let fingerprint { return FeatureKey(fingerprint: fingerprint) }
            uncacheable.insert(index)
            return FeatureKey(fingerprint: "\(run) \(index)")
        }
        let kept = try folders[request.trunk.key] ?? cache.folder(trunk: request.trunk.key, rowByteCount: rowByteCount)
        folders[request.trunk.key] = kept
        return FeatureSource(
            dataset: dataset, keys: keys, kept: kept, uncacheable: uncacheable,
            temporary: uncacheable.isEmpty ? nil : try FeatureCache.temporaryFolder(rowByteCount: rowByteCount),
            shapes: request.trunk.shapes)
    }

    /// The fingerprints of each dataset's examples in its first views, computed in the background.
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

    /// Computes the misses of some lookups with one trunk, batch by batch; a shard that is begun is completed however
    /// the pass ends.
    ///
    /// - Returns: for each lookup the examples that cannot be read.
    private func compute(_ lookups: [CacheLookup], report: (Int) throws -> Void) throws -> [[ExampleFailure]] {
        guard let trunk = lookups.first?.request.trunk else { return [] }
        let source = ConcatenatedSource(lookups.map(\.source.dataset), streams: trunk.concurrentRuns)
        let recordings = lookups.map { FeatureRecording($0.source, cache: cache) }
        defer { for recording in recordings { try? recording.finish() } }
        // The first examples are decoded while the trunk is made ready.
        let streams = streams(of: lookups, from: source, count: trunk.concurrentRuns)
        let runner = try trunk.makeRunner()
        try checkCancellation()
        var runs = streams.map { runner.features(of: $0, timeline: timeline) }
        defer { for run in runs { run.end() } }
        var failures = lookups.map { _ in [ExampleFailure]() }
        var unreadable = lookups.map { _ in Set<Int>() }
        while !runs.isEmpty {
            // One batch of each in turn, so that rows and failures have the same order however fast each run is.
            runs = try runs.filter { run in
                guard let (batch, features) = try run.next() else { return false }
                try checkCancellation()
                for failure in batch.failures {
                    var (part, own) = source.located(failure)
                    own.index = lookups[part].request.dataset.example(ofNumber: own.index)
                    // Once, however many views of it were asked for.
                    guard unreadable[part].insert(own.index).inserted else { continue }
                    try emit(.unreadable(own))
                    failures[part].append(own)
                }
                for segment in source.segments(of: batch.indices) {
                    try recordings[segment.part].append(features, rows: segment.rows, of: segment.indices)
                }
                try report(batch.indices.count + batch.failures.count)
                return true
            }
        }
        // Here failures count; in the `defer` above something else has already gone wrong.
        for recording in recordings { try recording.finish() }
        return failures
    }

    /// The misses of some lookups, its batches dealt out to `count` streams.
    private func streams(
        of lookups: [CacheLookup], from source: ConcatenatedSource, count: Int
    ) -> [BatchStream<SourceBatch>] {
        var orders = [[Int]](repeating: [], count: count)
        let missing = lookups.enumerated().flatMap { part, lookup in
            lookup.missing.map { source.number(of: $0, in: part) }
        }
        for (position, number) in missing.enumerated() { orders[position / Trunk.batchSize % count].append(number) }
        return orders.map { BatchStream(source, order: $0, batchSize: Trunk.batchSize, profiler: timeline) }
    }
}
