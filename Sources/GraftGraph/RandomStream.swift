/// Random numbers by counting (Philox4x32-10): each number is a function of a key, a stream and a position, so
/// that it depends on no thread and no order, and a run that is resumed draws what it would have drawn.
///
/// Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, doi:10.1145/2063384.2063405.
public struct RandomStream: Sendable {
    private let key: (UInt32, UInt32)
    private let stream: UInt64

    /// The stream of this number under this key.
    public init(key: UInt64, stream: UInt64) {
        self.key = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
        self.stream = stream
    }

    /// Four random words: numbers `4 · block` to `4 · block + 3` of the stream.
    public func words(block: UInt64) -> (UInt32, UInt32, UInt32, UInt32) {
        var counter = (
            UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32),
            UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
        )
        var key = key
        for _ in 0..<10 {
            let first = UInt64(0xD251_1F53) * UInt64(counter.0)
            let second = UInt64(0xCD9E_8D57) * UInt64(counter.2)
            counter = (
                UInt32(truncatingIfNeeded: second >> 32) ^ counter.1 ^ key.0, UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ counter.3 ^ key.1, UInt32(truncatingIfNeeded: first)
            )
            key = (key.0 &+ 0x9E37_79B9, key.1 &+ 0xBB67_AE85)
        }
        return counter
    }

    /// The number at a position of the stream, uniform in [0, 1): the upper 24 bits of its word.
    public func uniform(at position: Int) -> Float {
        let words = words(block: UInt64(position) / 4)
        let word =
            switch position % 4 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return Float(word >> 8) * 0x1p-24
    }
}
