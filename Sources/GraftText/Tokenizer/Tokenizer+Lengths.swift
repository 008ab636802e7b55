extension Tokenizer {
    /// Where texts that are too long are cut off.
    public struct Truncation: Hashable, Sendable {
        /// Which of two texts loses tokens.
        public enum Strategy: String, Hashable, Sendable {
            /// The longer one.
            case longestFirst = "LongestFirst"
            /// The first.
            case onlyFirst = "OnlyFirst"
            /// The second.
            case onlySecond = "OnlySecond"
        }

        /// The most tokens, special ones included.
        public var maximumLength: Int
        /// Which of two texts loses tokens.
        public var strategy: Strategy
        /// Whether the beginning is cut off, not the end.
        public var isLeft: Bool

        /// The end of the longer text, by default.
        ///
        /// - Throws: `GraftError` with code `argument` for a negative length.
        public init(
            maximumLength: Int, strategy: Strategy = .longestFirst, isLeft: Bool = false
        ) throws(GraftError) {
            guard maximumLength >= 0 else {
                throw GraftError(.argument, "texts cannot be cut off at \(maximumLength) tokens; give a number from 0")
            }
            (self.maximumLength, self.strategy, self.isLeft) = (maximumLength, strategy, isLeft)
        }
    }

    /// What fills up texts that are too short.
    public struct Padding: Hashable, Sendable {
        /// Up to which length.
        public enum Length: Hashable, Sendable {
            /// That of the longest text of several; a text alone is not filled up.
            case longest
            /// This one.
            case fixed(Int)

            var fixed: Int? { if case .fixed(let length) = self { length } else { nil } }
        }

        /// Up to which length.
        public var length: Length
        /// The padding token.
        public var id: Int32
        /// Its type.
        public var typeID: Int32
        /// Whether padding comes first.
        public var isLeft: Bool
        /// Lengths are multiples of it; `nil` for any.
        public var multiple: Int?

        /// Padding behind the text, of any length, by default.
        public init(
            length: Length = .longest, id: Int32 = 0, typeID: Int32 = 0, isLeft: Bool = false, multiple: Int? = nil
        ) {
            (self.length, self.id, self.typeID, self.isLeft, self.multiple) = (length, id, typeID, isLeft, multiple)
        }

        /// A length as a multiple of ``multiple``.
        func rounded(_ length: Int) -> Int {
            guard let multiple, multiple > 0 else { return length }
            return (length + multiple - 1) / multiple * multiple
        }
    }
}

extension Tokenizer.Truncation {
    /// Cuts off what is too long with so many special tokens around it.
    func apply(_ first: inout TokenSequence, _ second: inout TokenSequence?, specialCount: Int) throws(GraftError) {
        guard maximumLength >= specialCount else {
            throw GraftError(
                .argument,
                "texts are cut off at \(maximumLength) tokens, and the \(specialCount) special tokens around them are more"
            )
        }
        let limit = maximumLength - specialCount
        let total = first.ids.count + (second?.ids.count ?? 0)
        guard total > limit else { return }
        switch strategy {
        case .longestFirst:
            guard let other = second else { return first.truncate(to: limit, fromLeft: isLeft) }
            let lengths = Self.lengths(first.ids.count, other.ids.count, limit)
            first.truncate(to: lengths.first, fromLeft: isLeft)
            second?.truncate(to: lengths.second, fromLeft: isLeft)
        case .onlyFirst:
            first.truncate(to: try remaining(first.ids.count, total - limit), fromLeft: isLeft)
        case .onlySecond:
            let length = try remaining(second?.ids.count ?? 0, total - limit)
            second?.truncate(to: length, fromLeft: isLeft)
        }
    }

    private func remaining(_ count: Int, _ removed: Int) throws(GraftError) -> Int {
        guard count > removed else {
            throw GraftError(
                .data,
                "a text of \(count) tokens is too short to lose the \(removed) that are too many with the other one")
        }
        return count - removed
    }

    /// The shorter text stays whole where it can; else both get half.
    private static func lengths(_ first: Int, _ second: Int, _ limit: Int) -> (first: Int, second: Int) {
        var (short, long) = (min(first, second), max(first, second))
        long = short > limit ? short : max(short, limit - short)
        if short + long > limit {
            short = limit / 2
            long = short + limit % 2
        }
        return first > second ? (long, short) : (short, long)
    }
}

extension TokenEncoding {
    /// Fills up to a length.
    mutating func pad(to length: Int, _ padding: Tokenizer.Padding) {
        pad(to: length, padding.id, typeID: padding.typeID, isLeft: padding.isLeft)
    }
}

// MARK: Reading

extension Tokenizer.Truncation {
    init(_ json: OrderedJSON) throws(GraftError) {
        try self.init(
            maximumLength: try json.member("max_length", "a whole number from 0") { value in
                value.integer.flatMap { $0 >= 0 ? $0 : nil }
            },
            strategy: try json.member("strategy", "LongestFirst, OnlyFirst or OnlySecond") {
                $0.text.flatMap(Strategy.init)
            },
            isLeft: try json.optional("direction", "Left or Right") { ["Left": true, "Right": false][$0.text ?? ""] }
                ?? false)
    }
}

extension Tokenizer.Padding {
    /// The longest padding that a file may ask for: many times what models read.
    private static let maximumLength = 1 << 20

    init(_ json: OrderedJSON) throws(GraftError) {
        let id: (OrderedJSON) -> Int32? = { value in
            value.integer.flatMap { (0...TokenRule.largestID).contains($0) ? Int32($0) : nil }
        }
        let size: (OrderedJSON) -> Int? = { value in
            value.integer.flatMap { (0...Self.maximumLength).contains($0) ? $0 : nil }
        }
        self.init(
            length: try json.member("strategy", "BatchLongest or Fixed with a number up to \(Self.maximumLength)") {
                value in
                value.text == "BatchLongest" ? .longest : value["Fixed"].flatMap(size).map { .fixed($0) }
            },
            id: try json.optional("pad_id", "a whole number", id) ?? 0,
            typeID: try json.optional("pad_type_id", "a whole number", id) ?? 0,
            isLeft: try json.optional("direction", "Left or Right") { ["Left": true, "Right": false][$0.text ?? ""] }
                ?? false,
            multiple: try json.optional("pad_to_multiple_of", "a whole number up to \(Self.maximumLength)", size))
    }
}
