/// Finds images that look the same among many, without comparing each with each.
///
/// Where two hashes differ in at most `d` bits, and the bits are divided into `d + 1` bands, one band at least is equal
/// (pigeonhole). So only images that share a band are compared: of 100,000 with evenly spread hashes and 7 bands of 9 bits, one
/// in 70. Images with the same hash are brought together first, so that no band is crowded by them.
struct NearDuplicates {
    /// Images taken for one another, directly or by way of others; the smallest number first, in the order of their first.
    let groups: [Group]

    struct Group {
        let members: [Int]
        /// The most bits that differ between two that were taken for the same.
        let distance: Int
        /// The least correlation between two that were taken for the same.
        let correlation: Float
    }

    /// - Parameter hashes: of each image; `nil` for one that takes no part.
    init(among hashes: [PerceptualHash?]) {
        var search = Search(hashes)
        search.joinEqual()
        search.joinNear()
        groups = search.groups()
    }

    private struct Search {
        let hashes: [PerceptualHash?]
        private var sets: DisjointSets
        private var distances: [Int: Int] = [:]
        private var correlations: [Int: Float] = [:]
        /// The images that stand for all with their hash that look like them.
        private var leaders: [(index: Int, hash: PerceptualHash)] = []

        init(_ hashes: [PerceptualHash?]) {
            self.hashes = hashes
            sets = DisjointSets(count: hashes.count)
        }

        mutating func joinEqual() {
            var known: [UInt64: [Int]] = [:]
            for (index, hash) in hashes.enumerated() {
                guard let hash else { continue }
                let others = known[hash.bits] ?? []
                if others.contains(where: { join(leaders[$0].index, index, leaders[$0].hash, hash) }) { continue }
                known[hash.bits, default: []].append(leaders.count)
                leaders.append((index, hash))
            }
        }

        mutating func joinNear() {
            let bands = Self.bands
            for (number, band) in bands.enumerated() {
                var buckets: [UInt64: [Int]] = [:]
                for (place, leader) in leaders.enumerated() {
                    buckets[leader.hash.bits & band, default: []].append(place)
                }
                for bucket in buckets.values where bucket.count > 1 {
                    compare(bucket, passing: bands[..<number])
                }
            }
        }

        /// Compares all in a bucket; pairs that share an earlier band were compared there.
        private mutating func compare(_ bucket: [Int], passing earlier: ArraySlice<UInt64>) {
            for (position, one) in bucket.enumerated() {
                let first = leaders[one]
                for other in bucket[..<position] {
                    let second = leaders[other]
                    let difference = first.hash.bits ^ second.hash.bits
                    guard difference.nonzeroBitCount <= PerceptualHash.maximumDistance,
                        !earlier.contains(where: { difference & $0 == 0 })
                    else { continue }
                    _ = join(first.index, second.index, first.hash, second.hash)
                }
            }
        }

        /// Takes two for the same where they look so.
        private mutating func join(_ one: Int, _ other: Int, _ first: PerceptualHash, _ second: PerceptualHash) -> Bool
        {
            let (left, right) = (sets.root(of: one), sets.root(of: other))
            if left == right { return true }
            let correlation = first.correlation(with: second)
            guard correlation >= PerceptualHash.minimumCorrelation else { return false }
            let root = sets.join(left, right)
            distances[root] = max(distances[left] ?? 0, distances[right] ?? 0, first.distance(to: second))
            correlations[root] = min(correlations[left] ?? 1, correlations[right] ?? 1, correlation)
            return true
        }

        mutating func groups() -> [Group] {
            sets.groups().map { members in
                let root = sets.root(of: members[0])
                return Group(
                    members: members, distance: distances[root] ?? 0, correlation: correlations[root] ?? 1)
            }
        }

        /// Masks of `maximumDistance + 1` bands that together are all bits.
        private static let bands: [UInt64] = {
            let count = PerceptualHash.maximumDistance + 1
            return (0..<count).map { band in
                let (start, end) = (64 * band / count, 64 * (band + 1) / count)
                return (start..<end).reduce(0) { $0 | 1 << UInt64($1) }
            }
        }()
    }
}

/// Numbers in sets that are joined (union-find, with paths halved).
struct DisjointSets {
    private var parents: [Int]

    init(count: Int) { parents = Array(0..<count) }

    /// The number that stands for the set: its smallest.
    mutating func root(of number: Int) -> Int {
        var number = number
        while parents[number] != number {
            parents[number] = parents[parents[number]]
            number = parents[number]
        }
        return number
    }

    /// Makes one set of two, and gives the number that stands for it.
    @discardableResult
    mutating func join(_ one: Int, _ other: Int) -> Int {
        let (left, right) = (root(of: one), root(of: other))
        parents[max(left, right)] = min(left, right)
        return min(left, right)
    }

    /// The sets of more than one, each in order, by their smallest.
    mutating func groups() -> [[Int]] {
        var members: [Int: [Int]] = [:]
        for number in parents.indices {
            let root = root(of: number)
            if root != number { members[root, default: [root]].append(number) }
        }
        return members.sorted { $0.key < $1.key }.map(\.value)
    }
}
