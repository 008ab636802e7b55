/// Unicode's normalization forms (UAX 15), with the tables that the `tokenizers` package has.
enum UnicodeForm: String, Sendable {
    case nfc = "NFC"
    case nfd = "NFD"
    case nfkc = "NFKC"
    case nfkd = "NFKD"

    private var isCompatible: Bool { self == .nfkc || self == .nfkd }
    private var isComposed: Bool { self == .nfc || self == .nfkc }

    /// Brings a text to this form.
    func normalize(_ text: inout ScalarText) {
        let tables = UnicodeTables.shared
        // Below U+00A0 no form changes anything.
        guard text.scalars.contains(where: { $0 >= 0xA0 }) else { return }
        var changes: [(scalar: UInt32, change: Int)] = []
        changes.reserveCapacity(text.scalars.count)
        for scalar in text.scalars { decompose(scalar, tables) { changes.append(($0, $1)) } }
        Self.sort(&changes, tables)
        if isComposed { Self.compose(&changes, tables) }
        text.apply(changes)
    }

    @inline(__always)
    private func decompose(_ scalar: UInt32, _ tables: UnicodeTables, _ emit: (UInt32, Int) -> Void) {
        guard scalar >= 0xA0 else { return emit(scalar, 0) }
        if let parts = Hangul.decomposed(scalar) {
            for (place, part) in parts.enumerated() { emit(part, place == 0 ? 0 : 1) }
            return
        }
        let classes = tables.classes(of: scalar)
        let parts: ArraySlice<UInt32>
        if isCompatible, classes.contains(.hasCompatible) {
            parts = tables.compatible[scalar]
        } else if classes.contains(.hasCanonical) {
            parts = tables.canonical[scalar]
        } else {
            return emit(scalar, 0)
        }
        for place in parts.indices { emit(parts[place], place == parts.startIndex ? 0 : 1) }
    }

    /// The canonical order: runs of marks by their combining class, stable.
    private static func sort(_ changes: inout [(scalar: UInt32, change: Int)], _ tables: UnicodeTables) {
        var place = 0
        while place < changes.count {
            guard tables.combiningClass(changes[place].scalar) > 0 else {
                place += 1
                continue
            }
            var end = place + 1
            var isSorted = true
            while end < changes.count {
                let own = tables.combiningClass(changes[end].scalar)
                guard own > 0 else { break }
                isSorted = isSorted && own >= tables.combiningClass(changes[end - 1].scalar)
                end += 1
            }
            if !isSorted {
                let run = changes[place..<end].enumerated().map {
                    (order: (tables.combiningClass($1.scalar), $0), element: $1)
                }
                changes.replaceSubrange(place..<end, with: run.sorted { $0.order < $1.order }.map(\.element))
            }
            place = end
        }
    }

    /// The canonical composition: a mark joins the last starter unless another mark of its class or a higher one lies between.
    private static func compose(_ changes: inout [(scalar: UInt32, change: Int)], _ tables: UnicodeTables) {
        var result: [(scalar: UInt32, change: Int)] = []
        result.reserveCapacity(changes.count)
        var starter: Int?
        var lastClass: UInt32 = 0
        for (scalar, change) in changes {
            let own = tables.combiningClass(scalar)
            if let place = starter {
                let isBlocked = place != result.count - 1 && (lastClass == 0 || lastClass >= own)
                if !isBlocked, let composed = tables.composed(result[place].scalar, scalar) {
                    result[place] = (composed, result[place].change + change - 1)
                    continue
                }
            }
            result.append((scalar, change))
            lastClass = own
            if own == 0 { starter = result.count - 1 }
        }
        changes = result
    }
}

extension UnicodeTables {
    /// The canonical combining class; 0 for most characters.
    @inline(__always)
    func combiningClass(_ scalar: UInt32) -> UInt32 {
        guard scalar >= 0x300, classes(of: scalar).contains(.hasCombiningClass) else { return 0 }
        return (combiningClasses[scalar].first ?? scalar) - scalar
    }

    /// The character that two are together, if there is one.
    func composed(_ first: UInt32, _ second: UInt32) -> UInt32? {
        Hangul.composed(first, second) ?? compositions[UInt64(first) << 32 | UInt64(second)]
    }
}

/// The syllables of Hangul, whose parts are arithmetic (The Unicode Standard, 3.12).
private enum Hangul {
    private static let syllables: Range<UInt32> = 0xAC00..<0xD7A4
    private static let (leading, vowel, trailing): (UInt32, UInt32, UInt32) = (0x1100, 0x1161, 0x11A7)
    private static let (leadings, vowels, trailings): (UInt32, UInt32, UInt32) = (19, 21, 28)

    static func decomposed(_ scalar: UInt32) -> [UInt32]? {
        guard syllables.contains(scalar) else { return nil }
        let place = scalar - syllables.lowerBound
        let parts = [leading + place / (vowels * trailings), vowel + place % (vowels * trailings) / trailings]
        return place % trailings == 0 ? parts : parts + [trailing + place % trailings]
    }

    static func composed(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if (leading..<(leading + leadings)).contains(first), (vowel..<(vowel + vowels)).contains(second) {
            return syllables.lowerBound + ((first - leading) * vowels + second - vowel) * trailings
        }
        if syllables.contains(first), (first - syllables.lowerBound) % trailings == 0,
            (trailing + 1..<(trailing + trailings)).contains(second)
        {
            return first + second - trailing
        }
        return nil
    }
}
