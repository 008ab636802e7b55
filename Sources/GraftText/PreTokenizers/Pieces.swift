/// A text and the pieces that it was split into; what lies between them was left out.
struct Pieces {
    var text: AlignedText
    var ranges: [Range<Int>]

    /// One piece: the whole text.
    init(_ text: AlignedText) {
        self.text = text
        ranges = text.bytes.isEmpty ? [] : [0..<text.bytes.count]
    }

    /// Splits each piece further; empty ones are dropped.
    mutating func split(_ body: (UnsafeBufferPointer<UInt8>, Range<Int>, inout [Range<Int>]) -> Void) {
        var result: [Range<Int>] = []
        result.reserveCapacity(ranges.count + text.bytes.count / 4)
        text.bytes.withUnsafeBufferPointer { bytes in
            for range in ranges { body(bytes, range, &result) }
        }
        ranges = result
    }

    /// Splits each piece at the characters of which that is true.
    mutating func split(_ behavior: DelimiterBehavior, at isDelimiter: (UInt32) -> Bool) {
        split { bytes, range, result in
            var splitter = DelimiterSplitter(behavior, range.lowerBound)
            var position = range.lowerBound
            while position < range.upperBound {
                let scalar = UTF8Scalar(bytes, at: position)
                if isDelimiter(scalar.value) {
                    splitter.delimiter(position..<(position + scalar.count), &result)
                }
                position += scalar.count
            }
            splitter.finish(range.upperBound, &result)
        }
    }

    /// Splits each piece at every occurrence of some bytes, or, inverted, at what lies between.
    mutating func split(_ behavior: DelimiterBehavior, at pattern: [UInt8], isInverted: Bool) {
        guard !pattern.isEmpty else { return }
        split { bytes, range, result in
            var splitter = DelimiterSplitter(behavior, range.lowerBound)
            var (position, before) = (range.lowerBound, range.lowerBound)
            func found(_ match: Range<Int>) {
                if !isInverted {
                    splitter.delimiter(match, &result)
                } else if before < match.lowerBound {
                    splitter.delimiter(before..<match.lowerBound, &result)
                }
                before = match.upperBound
            }
            while position + pattern.count <= range.upperBound {
                if bytes[position] == pattern[0], bytes[position..<(position + pattern.count)].elementsEqual(pattern) {
                    found(position..<(position + pattern.count))
                    position += pattern.count
                } else {
                    position += 1
                }
            }
            if isInverted { found(range.upperBound..<range.upperBound) }
            splitter.finish(range.upperBound, &result)
        }
    }

    /// Writes the pieces anew, one after the other, with what `body` makes of each.
    mutating func rewrite(_ body: (Range<Int>, AlignedText, inout AlignedText) -> Void) {
        var result = AlignedText(isTracked: text.isTracked)
        result.bytes.reserveCapacity(text.bytes.count + ranges.count * 3)
        for place in ranges.indices {
            let start = result.bytes.count
            body(ranges[place], text, &result)
            ranges[place] = start..<result.bytes.count
        }
        text = result
    }
}

/// What becomes of a delimiter where a text is split at it.
enum DelimiterBehavior: String, Sendable {
    /// It is left out.
    case removed = "Removed"
    /// It is a piece.
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    /// Delimiters side by side are one piece.
    case contiguous = "Contiguous"
}

/// Makes pieces of what lies between delimiters, and of those.
private struct DelimiterSplitter {
    private let behavior: DelimiterBehavior
    /// Where the piece begins that is not ended yet.
    private var start: Int
    /// Where the last delimiter ended.
    private var lastEnd: Int?

    init(_ behavior: DelimiterBehavior, _ start: Int) { (self.behavior, self.start) = (behavior, start) }

    mutating func delimiter(_ range: Range<Int>, _ result: inout [Range<Int>]) {
        let followsDelimiter = lastEnd == range.lowerBound
        switch behavior {
        case .removed:
            end(range.lowerBound, &result)
            start = range.upperBound
        case .isolated:
            end(range.lowerBound, &result)
            result.append(range)
            start = range.upperBound
        case .mergedWithPrevious:
            end(range.upperBound, &result)
        case .mergedWithNext:
            end(range.lowerBound, &result)
        case .contiguous:
            if followsDelimiter, let last = result.indices.last {
                result[last] = result[last].lowerBound..<range.upperBound
            } else {
                end(range.lowerBound, &result)
                result.append(range)
            }
            start = range.upperBound
        }
        lastEnd = range.upperBound
    }

    mutating func finish(_ position: Int, _ result: inout [Range<Int>]) { end(position, &result) }

    private mutating func end(_ position: Int, _ result: inout [Range<Int>]) {
        if start < position { result.append(start..<position) }
        start = position
    }
}
