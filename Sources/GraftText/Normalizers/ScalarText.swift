/// A text while it is normalized: its characters and, where that is asked for, the bytes of the original that each stands for.
struct ScalarText {
    var scalars: [UInt32] = []
    /// For each character where its original begins, in bytes; empty where nothing asks.
    private(set) var starts: [Int] = []
    /// Where it ends.
    private(set) var ends: [Int] = []
    /// Where the text begins in the original.
    let origin: Int
    let isTracked: Bool

    /// No characters yet.
    private init(like other: ScalarText) { (origin, isTracked) = (other.origin, other.isTracked) }

    /// The characters of UTF-8 that begins at `origin` of the original.
    init(_ bytes: UnsafeBufferPointer<UInt8>, origin: Int, isTracked: Bool) {
        (self.origin, self.isTracked) = (origin, isTracked)
        scalars.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let scalar = UTF8Scalar(bytes, at: position)
            append(scalar.value, origin + position, origin + position + scalar.count)
            position += scalar.count
        }
    }

    @inline(__always)
    private mutating func append(_ scalar: UInt32, _ start: Int, _ end: Int) {
        scalars.append(scalar)
        guard isTracked else { return }
        starts.append(start)
        ends.append(end)
    }

    /// Adds a character that stands for the same as that of a place of another text, or for nothing before its first.
    @inline(__always)
    private mutating func append(_ scalar: UInt32, of other: ScalarText, at place: Int) {
        scalars.append(scalar)
        guard isTracked else { return }
        let isThere = other.starts.indices.contains(place)
        starts.append(isThere ? other.starts[place] : origin)
        ends.append(isThere ? other.ends[place] : origin)
    }

    /// Each character replaced by others, which stand for the same.
    mutating func replaceEach(_ body: (UInt32, (UInt32) -> Void) -> Void) {
        var result = ScalarText(like: self)
        result.scalars.reserveCapacity(scalars.count)
        for place in scalars.indices {
            body(scalars[place]) { result.append($0, of: self, at: place) }
        }
        self = result
    }

    /// The characters of which that is true.
    mutating func keep(_ isKept: (UInt32) -> Bool) {
        guard scalars.contains(where: { !isKept($0) }) else { return }
        replaceEach { if isKept($0) { $1($0) } }
    }

    /// Without the characters at the ends of which that is true.
    mutating func strip(left: Bool, right: Bool, _ isStripped: (UInt32) -> Bool) {
        var (low, high) = (0, scalars.count)
        while left, low < high, isStripped(scalars[low]) { low += 1 }
        while right, high > low, isStripped(scalars[high - 1]) { high -= 1 }
        guard low > 0 || high < scalars.count else { return }
        scalars = Array(scalars[low..<high])
        if isTracked { (starts, ends) = (Array(starts[low..<high]), Array(ends[low..<high])) }
    }

    /// With other characters in front, which stand for the first; nothing where there is none.
    mutating func prepend(_ prefix: [UInt32]) {
        guard !scalars.isEmpty else { return }
        scalars.insert(contentsOf: prefix, at: 0)
        guard isTracked else { return }
        starts.insert(contentsOf: repeatElement(starts[0], count: prefix.count), at: 0)
        ends.insert(contentsOf: repeatElement(ends[0], count: prefix.count), at: 0)
    }

    /// With every occurrence of some characters replaced by others, which stand for the last of them.
    mutating func replace(_ pattern: [UInt32], with content: [UInt32]) {
        guard !pattern.isEmpty, scalars.count >= pattern.count else { return }
        var result = ScalarText(like: self)
        var place = 0
        while place < scalars.count {
            if scalars[place] == pattern[0], scalars[place...].starts(with: pattern) {
                for scalar in content { result.append(scalar, of: self, at: place + pattern.count - 1) }
                place += pattern.count
            } else {
                result.append(scalars[place], of: self, at: place)
                place += 1
            }
        }
        self = result
    }

    /// The text that these changes make, in the package's form of them: 0 for a character that replaces the next one, 1 for a
    /// new one, −n for one that replaces the next and the n after it.
    mutating func apply(_ changes: [(scalar: UInt32, change: Int)]) {
        var result = ScalarText(like: self)
        result.scalars.reserveCapacity(changes.count)
        var next = 0
        for (scalar, change) in changes {
            if change > 0 {
                result.append(scalar, of: self, at: next - 1)
            } else {
                result.append(scalar, of: self, at: next)
                next += 1 - change
            }
        }
        self = result
    }

    /// As UTF-8, with the original's places for each byte where they are known.
    var aligned: AlignedText {
        var text = AlignedText(isTracked: isTracked)
        text.bytes.reserveCapacity(scalars.count + scalars.count / 2)
        for place in scalars.indices {
            text.append(scalars[place], isTracked ? starts[place] : 0, isTracked ? ends[place] : 0)
        }
        return text
    }
}

/// UTF-8 whose bytes know, where that is asked for, what of the original they stand for.
struct AlignedText {
    var bytes: [UInt8] = []
    private(set) var starts: [Int] = []
    private(set) var ends: [Int] = []
    let isTracked: Bool

    init(isTracked: Bool) { self.isTracked = isTracked }

    /// Bytes of the original, from `origin` on.
    init(_ original: UnsafeBufferPointer<UInt8>, origin: Int, isTracked: Bool) {
        self.isTracked = isTracked
        bytes = Array(original)
        guard isTracked else { return }
        var position = 0
        while position < original.count {
            let count = UTF8Scalar(original, at: position).count
            for _ in 0..<count {
                starts.append(origin + position)
                ends.append(origin + position + count)
            }
            position += count
        }
    }

    /// Adds a character.
    mutating func append(_ scalar: UInt32, _ start: Int, _ end: Int) {
        let before = bytes.count
        bytes.append(scalar: scalar)
        guard isTracked else { return }
        for _ in before..<bytes.count {
            starts.append(start)
            ends.append(end)
        }
    }

    /// Adds bytes of another text.
    mutating func append(_ range: Range<Int>, of other: AlignedText) {
        bytes += other.bytes[range]
        guard isTracked else { return }
        starts += other.starts[range]
        ends += other.ends[range]
    }

    /// Adds bytes that stand for what the byte of another text stands for.
    mutating func append(_ added: [UInt8], for place: Int, of other: AlignedText) {
        bytes += added
        guard isTracked else { return }
        starts += repeatElement(other.starts[place], count: added.count)
        ends += repeatElement(other.ends[place], count: added.count)
    }

    /// The bytes of the original that some bytes stand for.
    func original(_ range: Range<Int>) -> Range<Int> {
        guard isTracked, !range.isEmpty else { return 0..<0 }
        let (start, end) = (starts[range.lowerBound], ends[range.upperBound - 1])
        return start..<max(start, end)
    }
}
