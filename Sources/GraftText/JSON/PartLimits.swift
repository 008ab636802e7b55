/// What a tokenizer's parts may be, so that no file makes a short text into gigabytes or takes minutes for it.
enum PartLimits {
    /// The most bytes of a pattern, or of what replaces one.
    static let textBytes = 1024
    /// The most parts, those of sequences within sequences counted.
    static let parts = 256
    /// How many times as long replacements may make a text, all together.
    static let growth = 4096.0
    /// The most bytes of a token.
    static let tokenBytes = 4096
    /// The most bytes of all tokens together: four times those of the largest vocabularies in use.
    static let vocabularyBytes = 1 << 23

    /// - Throws: `format` where a part is too much.
    static func check(_ name: String, parts: Int, growth: Double) throws(GraftError) {
        guard parts <= Self.parts else {
            throw GraftError(.format, "its \(name) has \(parts) parts; at most \(Self.parts)")
        }
        guard growth <= Self.growth else {
            throw GraftError(
                .format,
                "its \(name) may make a text more than \(Int(Self.growth)) times as long, which no tokenizer needs")
        }
    }

    /// How many times as long a replacement makes a text at most.
    static func growth(_ pattern: Int, _ content: Int) -> Double {
        max(1, Double(content) / Double(max(1, pattern)))
    }
}

extension OrderedJSON {
    /// A member that is a short text.
    func shortText(_ name: String) throws(GraftError) -> [UInt8] {
        try member(name, "a text of at most \(PartLimits.textBytes) bytes") { value in
            value.bytes.flatMap { $0.count <= PartLimits.textBytes ? $0 : nil }
        }
    }
}
