/// A piece of the arena that is needed for a while.
struct MemoryBuffer {
    /// Its size.
    var byteCount: Int
    /// The first and the last step that need it.
    var lifetime: ClosedRange<Int>
}

/// Finds places for buffers so that no two that are needed together overlap.
///
/// Greedy by size: the largest first, each into the smallest gap that holds it.
/// Source: Y. Pisarchyk and J. Lee, "Efficient memory management for deep neural net inference", 2020, arXiv:2001.03288.
enum MemoryLayoutSearch {
    /// The alignment of every buffer in bytes: a cache line, and a 512-bit vector.
    static let alignment = 64

    private struct Place {
        let start: Int
        let end: Int
        let lifetime: ClosedRange<Int>
    }

    /// An offset for each buffer, and the size of an arena that holds them all.
    static func offsets(for buffers: [MemoryBuffer]) -> (offsets: [Int], byteCount: Int) {
        var offsets = [Int](repeating: 0, count: buffers.count)
        var places: [Place] = []  // in the order of their starts
        var byteCount = 0
        for index in bySize(buffers) {
            let size = aligned(buffers[index].byteCount)
            let start = smallestGap(among: places, size: size, lifetime: buffers[index].lifetime)
            insert(Place(start: start, end: start + size, lifetime: buffers[index].lifetime), into: &places)
            offsets[index] = start
            byteCount = max(byteCount, start + size)
        }
        return (offsets, byteCount)
    }

    /// The most bytes needed at one time.
    static func peakByteCount(of buffers: [MemoryBuffer]) -> Int {
        var changes: [Int: Int] = [:]
        for buffer in buffers {
            changes[buffer.lifetime.lowerBound, default: 0] += aligned(buffer.byteCount)
            changes[buffer.lifetime.upperBound + 1, default: 0] -= aligned(buffer.byteCount)
        }
        var (now, peak) = (0, 0)
        for change in changes.sorted(by: { $0.key < $1.key }) {
            now += change.value
            peak = max(peak, now)
        }
        return peak
    }

    /// The positions of buffers that take room, largest first; among equals the earlier one.
    private static func bySize(_ buffers: [MemoryBuffer]) -> [Int] {
        buffers.indices.filter { buffers[$0].byteCount > 0 }.sorted {
            let (left, right) = (buffers[$0], buffers[$1])
            return left.byteCount != right.byteCount ? left.byteCount > right.byteCount : $0 < $1
        }
    }

    /// The start of the smallest gap between the places in use at the same time, or the end of the last of them.
    private static func smallestGap(among places: [Place], size: Int, lifetime: ClosedRange<Int>) -> Int {
        var best: (start: Int, size: Int)?
        var end = 0
        for place in places where place.lifetime.overlaps(lifetime) {
            let gap = place.start - end
            if gap >= size, gap < best?.size ?? .max { best = (end, gap) }
            end = max(end, place.end)
        }
        return best?.start ?? end
    }

    private static func insert(_ place: Place, into places: inout [Place]) {
        var (low, high) = (0, places.count)
        while low < high {
            let middle = (low + high) / 2
            if places[middle].start <= place.start { low = middle + 1 } else { high = middle }
        }
        places.insert(place, at: low)
    }

    private static func aligned(_ byteCount: Int) -> Int {
        (byteCount + alignment - 1) / alignment * alignment
    }
}
