import Foundation
import GraftData
import GraftDigest
import GraftGraph
import GraftModel
import Synchronization

/// What a run's examples are, in a few bytes each, so that a run that continues can tell whether they are still the same.
final class DataIdentity: Sendable {
    /// The data under the names that messages use.
    private let datasets: [(name: String, data: any Dataset)]
    private let computed = Mutex<Configuration?>(nil)

    /// The characters of an example: eight bytes of a hash, zeros where it cannot be read or has no fingerprint. Where none has
    /// one, nothing is kept: millions of zeros pack to what an archive's reader takes for a bomb.
    private static let width = 16

    init(training: any Dataset, validation: (any Dataset)?) {
        datasets = [("training", training)] + (validation.map { [("validation", $0)] } ?? [])
    }

    /// The numbers of training and validation examples, readable or not; 0 without the latter.
    var exampleCounts: (training: Int, validation: Int) {
        (datasets[0].data.count, datasets.count > 1 ? datasets[1].data.count : 0)
    }

    /// As a checkpoint keeps it; computed once. Reads all files whose fingerprints are not known yet.
    var configuration: Configuration {
        computed.withLock { computed in
            if let computed { return computed }
            let value = Configuration.object(
                Dictionary(uniqueKeysWithValues: datasets.map { ($0.name, Self.identity(of: $0.data)) }))
            computed = value
            return value
        }
    }

    /// What differs from the data of a checkpoint, in words; `nil` where nothing does.
    func difference(from stored: Configuration) -> String? {
        if let name = (stored.members ?? [:]).keys.first(where: { name in !datasets.contains { $0.name == name } }) {
            return "there was \(name) data, and now there is none"
        }
        // Counts first: nothing is read where they differ already.
        for (name, data) in datasets {
            guard let before = stored[name]?["count"]?.integer else { return "there was no \(name) data" }
            if before != data.count { return "the \(name) data has \(data.count) examples and had \(before)" }
            let views = stored[name]?["views"]?.integer ?? 1
            if views != data.views { return "the \(name) data's number of views is \(data.views) and was \(views)" }
        }
        let now = configuration
        for (name, data) in datasets {
            guard let before = stored[name].map(Self.withoutZeros), let now = now[name], before != now else { continue }
            return Self.difference(name, before, now, data)
        }
        return nil
    }

    private static func difference(
        _ name: String, _ before: Configuration, _ now: Configuration, _ data: any Dataset
    ) -> String {
        let (old, new) = (rows(of: before), rows(of: now))
        let changed = zip(old, new).enumerated().filter { $0.element.0 != $0.element.1 }.map(\.offset)
        guard let first = changed.first else { return "the targets of the \(name) data are other ones" }
        let words = data.name(of: first) ?? "number \(first)"
        return "\(changed.count) of the \(data.count) examples of the \(name) data are not what they were: \(words)"
            + (changed.count > 1 ? " for one" : "")
    }

    private static func rows(of identity: Configuration) -> [Substring] {
        let text = identity["examples"]?.text ?? ""
        var (rows, rest) = ([Substring](), text[...])
        while !rest.isEmpty {
            rows.append(rest.prefix(width))
            rest = rest.dropFirst(width)
        }
        return rows
    }

    /// That of the first view, from whose making the others follow: the recipe is part of its fingerprints.
    private static func identity(of data: any Dataset) -> Configuration {
        var examples = ""
        examples.reserveCapacity(width * data.count)
        for index in 0..<data.count {
            let fingerprint = (try? data.fingerprint(of: index)).flatMap(\.self)
            examples +=
                fingerprint.map { SHA256.hash($0.utf8).prefix(width / 2).hexadecimal }
                ?? String(repeating: "0", count: width)
        }
        var members: [String: Configuration] = [
            "count": .int(data.count), "examples": .string(examples),
            "targets": targets(of: data).map { .string($0) } ?? .null,
        ]
        if data.views != 1 { members["views"] = .int(data.views) }
        return withoutZeros(.object(members))
    }

    /// An identity that names no example, where none has a fingerprint.
    private static func withoutZeros(_ identity: Configuration) -> Configuration {
        guard var members = identity.members,
            members["examples"]?.text?.utf8.allSatisfy({ $0 == UInt8(ascii: "0") }) == true
        else { return identity }
        members["examples"] = .string("")
        return .object(members)
    }

    /// A hash of all targets, in parts, so that memory does not grow with their number; `nil` where some cannot be read, and
    /// where they are computed from the inputs.
    private static func targets(of data: any Dataset) -> String? {
        guard !data.computesTargets else { return nil }
        var hash = SHA256()
        for start in stride(from: 0, to: data.count, by: 4096) {
            guard let targets = try? data.targets(of: Array(start..<min(start + 4096, data.count))) else { return nil }
            for target in targets {
                hash.update("\(target.shape)".utf8)
                target.withUnsafeBuffer { hash.update(UnsafeRawBufferPointer($0)) }
            }
        }
        return hash.finalize().hexadecimal
    }
}
