import GraftGraph

/// Which image of a set is drawn; all that is random in it follows from this.
struct SceneSeed: Sendable {
    let seed: UInt64
    let classNumber: Int
    let isValidation: Bool
    let index: Int

    /// What random numbers are for. Each has a stream of its own, so that one more number here changes nothing there.
    enum Topic: Int {
        case ground, groundTexture, debris, shape, pose, surface, surfaceTexture, occlusion, light, neighbours
    }

    func numbers(for topic: Topic) -> RandomNumbers {
        let stream =
            UInt64(truncatingIfNeeded: index) << 24 | UInt64(truncatingIfNeeded: classNumber & 0xFFFF) << 8
            | UInt64(topic.rawValue) << 1 | (isValidation ? 1 : 0)
        return RandomNumbers(RandomStream(key: seed, stream: stream))
    }
}

/// The numbers of a random stream, one after the other.
struct RandomNumbers {
    private let stream: RandomStream
    private var block: UInt64 = 0
    private var words: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    private var left = 0

    init(_ stream: RandomStream) { self.stream = stream }

    mutating func word() -> UInt32 {
        if left == 0 {
            words = stream.words(block: block)
            block += 1
            left = 4
        }
        left -= 1
        defer { words = (words.1, words.2, words.3, words.0) }
        return words.0
    }

    /// Uniform in [0, 1).
    mutating func uniform() -> Float { Float(word() >> 8) * 0x1p-24 }

    /// Uniform between two numbers.
    mutating func between(_ low: Float, _ high: Float) -> Float { low + (high - low) * uniform() }

    /// Uniform between two whole numbers, both included.
    mutating func whole(_ low: Int, _ high: Int) -> Int {
        low + Int((UInt64(word()) * UInt64(high - low + 1)) >> 32)
    }

    /// Between −1 and 1 and mostly near 0: the sum of four bytes, close to a normal number of standard deviation 0.29.
    mutating func bell() -> Float {
        let word = word()
        let sum = (word & 0xFF) + (word >> 8 & 0xFF) + (word >> 16 & 0xFF) + (word >> 24)
        return (Float(sum) - 510) / 510
    }

    mutating func chance(_ probability: Float) -> Bool { uniform() < probability }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[whole(0, elements.count - 1)] }

    /// Uniform in a square of half this side around the origin.
    mutating func offset(_ half: Float) -> Point { Point(between(-half, half), between(-half, half)) }
}
