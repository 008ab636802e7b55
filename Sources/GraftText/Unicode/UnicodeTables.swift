/// What each character is, as the `tokenizers` package has it.
///
/// The package's parts were made with several versions of Unicode, and Swift's standard library has one of its own; these tables
/// were read off the package, so that ids are equal whatever the toolchain. `Tests/Text/unicode_tables.py` writes them.
struct UnicodeTables: Sendable {
    static let shared = UnicodeTables()

    /// For each block of 256 characters, the place of its classes.
    private let blocks: [UInt16]
    private let classes: [UInt16]
    let lowercase: ScalarMapping
    let canonical: ScalarMapping
    let compatible: ScalarMapping
    let combiningClasses: ScalarMapping
    /// The character that two others are together; the key is the first, shifted by 32 bits, and the second.
    let compositions: [UInt64: UInt32]

    private init() {
        (lowercase, canonical) = (ScalarMapping(Self.lowercaseData), ScalarMapping(Self.canonicalData))
        (compatible, combiningClasses) = (ScalarMapping(Self.compatibleData), ScalarMapping(Self.combiningClassesData))
        let composed = ScalarMapping(Self.compositionsData)
        var compositions: [UInt64: UInt32] = [:]
        for scalar in composed.keys {
            let parts = composed[scalar]
            guard let first = parts.first, let second = parts.last else { continue }
            compositions[UInt64(first) << 32 | UInt64(second)] = scalar
        }
        self.compositions = compositions

        var flat = [UInt16](repeating: 0, count: 0x11_0000)
        let ranges: [(StaticString, ScalarClass)] = [
            (Self.removedByBERTData, .removedByBERT), (Self.spacesOfBERTData, .spaceOfBERT),
            (Self.punctuationData, .punctuation), (Self.whitespaceData, .whitespace),
            (Self.nonspacingMarksData, .nonspacingMark), (Self.marksData, .mark), (Self.lettersData, .letter),
            (Self.numbersData, .number), (Self.spacesData, .space), (Self.numeralsData, .numeral),
            (Self.wordCharactersData, .wordCharacter),
        ]
        for (data, members) in ranges { Self.add(members, data, to: &flat) }
        for (mapping, members) in [
            (lowercase, ScalarClass.hasLowercase), (canonical, .hasCanonical), (compatible, .hasCompatible),
            (combiningClasses, .hasCombiningClass),
        ] {
            for scalar in mapping.keys { flat[Int(scalar)] |= members.rawValue }
        }
        (blocks, classes) = Self.packed(flat)
    }

    /// The classes of a character.
    @inline(__always)
    func classes(of scalar: UInt32) -> ScalarClass {
        guard scalar < 0x11_0000 else { return [] }
        return ScalarClass(rawValue: classes[Int(blocks[Int(scalar >> 8)]) << 8 + Int(scalar & 0xFF)])
    }

    /// Equal blocks are kept once: a few hundred of 4352.
    private static func packed(_ flat: [UInt16]) -> (blocks: [UInt16], classes: [UInt16]) {
        var blocks: [UInt16] = []
        var classes: [UInt16] = []
        var known: [ArraySlice<UInt16>: UInt16] = [:]
        for start in stride(from: 0, to: flat.count, by: 256) {
            let block = flat[start..<(start + 256)]
            let number = known[block] ?? UInt16(classes.count >> 8)
            if known.updateValue(number, forKey: block) == nil { classes += block }
            blocks.append(number)
        }
        return (blocks, classes)
    }

    private static func add(_ members: ScalarClass, _ data: StaticString, to flat: inout [UInt16]) {
        var numbers = VariableLengthNumbers(data)
        var position = 0
        while let first = numbers.next() {
            let start = position + first
            let end = start + (numbers.next() ?? 0)
            for scalar in start..<end { flat[scalar] |= members.rawValue }
            position = end
        }
    }
}

/// What a character is, to the parts of a tokenizer.
struct ScalarClass: OptionSet {
    let rawValue: UInt16

    /// BERT's cleaning leaves it out: controls, U+0000 and U+FFFD.
    static let removedByBERT = ScalarClass(rawValue: 1 << 0)
    /// BERT's cleaning makes a space of it.
    static let spaceOfBERT = ScalarClass(rawValue: 1 << 1)
    /// A word of its own to BERT.
    static let punctuation = ScalarClass(rawValue: 1 << 2)
    /// Rust's `char::is_whitespace`.
    static let whitespace = ScalarClass(rawValue: 1 << 3)
    /// Category Mn.
    static let nonspacingMark = ScalarClass(rawValue: 1 << 4)
    /// Categories Mn, Mc and Me.
    static let mark = ScalarClass(rawValue: 1 << 5)
    /// `\p{L}`.
    static let letter = ScalarClass(rawValue: 1 << 6)
    /// `\p{N}`.
    static let number = ScalarClass(rawValue: 1 << 7)
    /// `\s`.
    static let space = ScalarClass(rawValue: 1 << 8)
    /// Rust's `char::is_numeric`.
    static let numeral = ScalarClass(rawValue: 1 << 9)
    /// `\w`.
    static let wordCharacter = ScalarClass(rawValue: 1 << 10)
    /// It has another form in lower case.
    static let hasLowercase = ScalarClass(rawValue: 1 << 11)
    /// It has a canonical decomposition; Hangul's, which are arithmetic, do not count.
    static let hasCanonical = ScalarClass(rawValue: 1 << 12)
    /// Its compatibility decomposition is another one.
    static let hasCompatible = ScalarClass(rawValue: 1 << 13)
    /// Its combining class is not 0.
    static let hasCombiningClass = ScalarClass(rawValue: 1 << 14)
}

/// From characters to what they become.
struct ScalarMapping: Sendable {
    let keys: [UInt32]
    private let starts: [Int]
    private let targets: [UInt32]

    init(_ data: StaticString) {
        var numbers = VariableLengthNumbers(data)
        var (keys, starts, targets): ([UInt32], [Int], [UInt32]) = ([], [0], [])
        var key = 0
        while let distance = numbers.next(), let count = numbers.next() {
            key += distance
            keys.append(UInt32(key))
            for _ in 0..<count {
                let number = numbers.next() ?? 0
                targets.append(UInt32(key + (number & 1 == 0 ? number >> 1 : -(number >> 1) - 1)))
            }
            starts.append(targets.count)
        }
        (self.keys, self.starts, self.targets) = (keys, starts, targets)
    }

    /// What a character becomes; nothing for one that is not here.
    subscript(_ scalar: UInt32) -> ArraySlice<UInt32> {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < scalar { low = middle + 1 } else { high = middle }
        }
        guard low < keys.count, keys[low] == scalar else { return [] }
        return targets[starts[low]..<starts[low + 1]]
    }
}

/// Numbers of 7 bits a byte, the lowest first, in Base64.
private struct VariableLengthNumbers {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: StaticString) {
        bytes = text.withUTF8Buffer { Base64.decoded($0) }
    }

    mutating func next() -> Int? {
        var (value, shift) = (0, 0)
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            value |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}

/// Base64 (RFC 4648).
enum Base64 {
    /// The bytes; what is no digit is passed over.
    static func decoded(_ text: some Sequence<UInt8>) -> [UInt8] {
        var (bytes, bits, count): ([UInt8], UInt32, Int) = ([], 0, 0)
        for character in text {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            default: continue
            }
            bits = bits << 6 | UInt32(digit)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }
}
