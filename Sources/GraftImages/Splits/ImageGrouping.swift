import GraftData
import GraftDigest
import GraftGraph

/// Which images stay together, and where each group lies.
struct ImageGrouping {
    private var sets: DisjointSets
    private let labels: [[String]]
    /// What a group may be called after: a text of the expression, or a file's digest.
    private let keys: [String?]
    let repeatedCount: Int

    init(_ listing: ImageListing, _ examined: ExaminedImages, _ names: [String?]) {
        var sets = DisjointSets(count: names.count)
        for group in examined.equal + examined.near.map(\.members) {
            for member in group.dropFirst() { sets.join(group[0], member) }
        }
        var first: [String: Int] = [:]
        for (index, name) in names.enumerated() where examined.files[index].isUsable {
            guard let name else { continue }
            if let other = first[name] { sets.join(other, index) } else { first[name] = index }
        }
        repeatedCount = sets.groups().count
        labels = listing.entries.map(\.labels)
        // A text sorts before all digests, so that it is the key wherever there is one.
        keys = zip(names, examined.files).map { name, file in
            guard file.isUsable, let digest = file.digest else { return nil }
            return name.map { "0 \($0)" } ?? "1 \(digest.hexadecimal)"
        }
        self.sets = sets
    }

    /// The part of each image; `nil` for one that takes no part.
    mutating func parts(_ options: ImageSplit.Options) -> [DatasetPart?] {
        places(seed: options.seed, exact: options.exact).map { $0.map(options.shares.part(at:)) }
    }

    /// The place of each image's group between 0 and 1; `nil` for one that takes no part.
    ///
    /// - Parameter exact: whether groups fill each class evenly, in the order of their own places.
    mutating func places(seed: UInt64, exact: Bool) -> [Double?] {
        var groups: [Int: [Int]] = [:]
        for index in keys.indices where keys[index] != nil { groups[sets.root(of: index), default: []].append(index) }
        let placed = groups.values.map { members in
            (members: members, place: Self.place(of: members.compactMap { keys[$0] }.min() ?? "", seed))
        }
        var places = [Double?](repeating: nil, count: keys.count)
        for (members, place) in exact ? filled(placed) : placed {
            for member in members { places[member] = place }
        }
        return places
    }

    /// The places that fill each class evenly, in the order of the groups' own.
    private func filled(_ groups: [(members: [Int], place: Double)]) -> [(members: [Int], place: Double)] {
        let counts = labels.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        let classes = Dictionary(grouping: groups) { group in
            let own = labels[group.members[0]]
            return counts[own, default: 0] > 1 ? own : []
        }
        return classes.values.flatMap { groups in
            let total = Double(groups.reduce(0) { $0 + $1.members.count })
            var before = 0.0
            return groups.sorted { ($0.place, $0.members[0]) < ($1.place, $1.members[0]) }.map { group in
                let middle = (before + Double(group.members.count) / 2) / total
                before += Double(group.members.count)
                return (group.members, middle)
            }
        }
    }

    private static func place(of key: String, _ seed: UInt64) -> Double {
        let bits = SHA256.hash("\(seed)\n\(key)".utf8).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        // The upper 53 bits are exact in a Double, so that 1 is never reached.
        return Double(bits >> 11) * 0x1p-53
    }
}

extension ImageExamination.Digest {
    /// 32 hexadecimal digits.
    var hexadecimal: String {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) } }
            .hexadecimal
    }
}
