import GraftGraph

/// Random choices of a run: functions of its seed and a position, so that they depend on no thread and no clock, and a
/// run that is resumed draws what it would have drawn.
struct RunRandomness: Sendable {
    let seed: UInt64

    /// The streams of the seed's generator that a run draws from.
    private enum Stream: UInt64 {
        case shuffle = 0x5368_7566_0000_0000
        case step = 0x5374_6570_0000_0000
    }

    /// The numbers in another order, each order as likely as any: Fisher and Yates's exchange.
    func shuffled(_ numbers: [Int], epoch: Int) -> [Int] {
        var numbers = numbers
        let stream = RandomStream(key: seed, stream: Stream.shuffle.rawValue &+ UInt64(truncatingIfNeeded: epoch))
        for last in stride(from: numbers.count - 1, to: 0, by: -1) {
            let words = stream.words(block: UInt64(last))
            let random = UInt64(words.0) << 32 | UInt64(words.1)
            // The upper half of the product is uniform in 0 … last but for a bias of at most count / 2⁶⁴.
            let other = Int(random.multipliedFullWidth(by: UInt64(last + 1)).high)
            numbers.swapAt(last, other)
        }
        return numbers
    }

    /// The key of a step's random numbers, those of dropout for instance.
    func key(step: Int) -> UInt64 {
        let words = RandomStream(key: seed, stream: Stream.step.rawValue).words(block: UInt64(truncatingIfNeeded: step))
        return UInt64(words.0) << 32 | UInt64(words.1)
    }
}
