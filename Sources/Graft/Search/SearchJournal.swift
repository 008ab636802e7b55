import Foundation
import GraftFormats
import GraftGraph

/// The trials of a search in a file, a line each, so that the same search goes on where it ended.
///
/// A line is a JSON object with `key` (of which images, folds, base and candidate it is), `right`, `sizes` and `seconds`. Lines
/// that are no such objects, as the last one of a process that was killed, are passed over, and so are those of other searches:
/// several may share a file.
final class SearchJournal {
    private let file: File
    private let path: String
    private var end: Int
    private var known: [String: (right: [Int?], sizes: [Int], seconds: Double)] = [:]
    /// A search of a day writes a few megabytes.
    private static let byteLimit = 256 << 20

    /// Opens the file, or makes it.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read and written.
    init(_ path: String) throws(GraftError) {
        self.path = path
        file = try File(ensuring: path)
        let bytes: [UInt8]
        do throws(GraftError) {
            bytes = try FileBytes.read(path, limit: Self.byteLimit)
        } catch {
            throw GraftError(
                error.code, "\(path), the journal of the search, \(error.message); remove it to begin anew")
        }
        end = bytes.count
        for line in bytes.split(separator: UInt8(ascii: "\n")) { read(Array(line)) }
        // What a killed process left of a line must not begin the next one.
        if let last = bytes.last, last != UInt8(ascii: "\n") { try append([UInt8(ascii: "\n")]) }
    }

    private func read(_ line: [UInt8]) {
        guard let object = try? Configuration(json: line), let key = object["key"]?.text,
            let right = object["right"]?.elements, let sizes = object["sizes"]?.elements?.compactMap(\.integer),
            let seconds = object["seconds"]?.number, right.count == sizes.count, seconds >= 0
        else { return }
        let counts = right.map { $0.isNull ? nil : $0.integer }
        let isSound = zip(zip(right, counts), sizes).allSatisfy { stored, size in
            stored.0.isNull || (stored.1.map { (0...max(size, 0)).contains($0) } ?? false)
        }
        if isSound { known[key] = (counts, sizes, seconds) }
    }

    /// What a candidate came to, where that was written for the same folds.
    func trial(of candidate: SearchCandidate, key: String, foldSizes: [Int]) -> SearchTrial? {
        guard let stored = known[key], stored.sizes == foldSizes else { return nil }
        return SearchTrial(candidate, right: stored.right, foldSizes: foldSizes, seconds: stored.seconds)
    }

    /// Adds a trial, unless all of it is there.
    ///
    /// - Throws: `GraftError` with code `file` where the disk is full.
    func add(_ trial: SearchTrial, key: String) throws {
        if let stored = known[key], stored.sizes == trial.foldSizes,
            zip(stored.right, trial.right).allSatisfy({ $1 == nil || $0 == $1 })
        {
            return
        }
        known[key] = (trial.right, trial.foldSizes, trial.seconds)
        let object: Configuration = [
            "key": .string(key), "right": .array(trial.right.map { $0.map { .int($0) } ?? .null }),
            "sizes": .array(trial.foldSizes.map { .int($0) }), "seconds": .double(trial.seconds),
        ]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try append(Array(encoder.encode(object)) + [UInt8(ascii: "\n")])
    }

    private func append(_ bytes: [UInt8]) throws(GraftError) {
        let start = end
        let written = bytes.withUnsafeBytes { buffer in
            Result { () throws(GraftError) in try file.write(buffer, at: start) }
        }
        try written.get()
        end += bytes.count
    }
}

extension SearchRun {
    /// What a trial is written under: the images with their classes and folds, how they are decoded, and what was tried.
    func key(of candidate: SearchCandidate) -> String? {
        guard let recipe = bases[candidate.features.base]?.recipe else { return nil }
        return
            "\(identity) of \(sample.count), seed \(search.seed), epochs \(search.epochs ?? 0), \(recipe.weights), \(recipe.rule): \(candidate)"
    }

    /// What an earlier search found a candidate to come to, as far as it went.
    func remembered(_ candidate: SearchCandidate) -> SearchTrial? {
        guard let key = key(of: candidate) else { return nil }
        return journal?.trial(of: candidate, key: key, foldSizes: folds.map(\.count))
    }
}
