/// Offsets in one arena for values that live from one step to another: two that live at once never overlap.
///
/// The largest value is placed first, each at the lowest offset that is free while it lives.
/// Source: Y. Pisarchyk, J. Lee, "Efficient memory management for deep neural net inference", arXiv:2001.03288, the
/// greedy algorithm by size.
struct ArenaLayout {
    struct Request {
        let byteCount: Int
        /// The first and the last step that need it.
        let first: Int
        let last: Int
    }

    /// The offset of each request, a multiple of ``Memory/alignment``.
    private(set) var offsets: [Int]
    /// The arena's size.
    private(set) var byteCount = 0

    init(_ requests: [Request]) {
        offsets = Array(repeating: 0, count: requests.count)
        var placed: [Int] = []
        let bySize = requests.indices.sorted {
            (requests[$1].byteCount, $0) < (requests[$0].byteCount, $1)
        }
        for index in bySize {
            let request = requests[index]
            let neighbours = placed.filter {
                requests[$0].first <= request.last && request.first <= requests[$0].last
            }
            let offset = lowestGap(for: Memory.aligned(request.byteCount), among: neighbours, requests)
            offsets[index] = offset
            byteCount = max(byteCount, offset + Memory.aligned(request.byteCount))
            placed.append(index)
        }
    }

    private func lowestGap(for size: Int, among neighbours: [Int], _ requests: [Request]) -> Int {
        var offset = 0
        for neighbour in neighbours.sorted(by: { offsets[$0] < offsets[$1] }) {
            if offset + size <= offsets[neighbour] { break }
            offset = max(offset, offsets[neighbour] + Memory.aligned(requests[neighbour].byteCount))
        }
        return offset
    }
}
