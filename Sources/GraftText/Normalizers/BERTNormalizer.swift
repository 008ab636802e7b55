/// BERT's cleaning of a text, by parts that can be switched off.
///
/// Source: google-research/bert `tokenization.py`; the order of the steps is that of the `tokenizers` package.
struct BERTNormalizer: Sendable, Hashable {
    /// Controls are left out, and every kind of space becomes a space.
    var cleansText = true
    /// Each Chinese character stands between spaces.
    var separatesChinese = true
    /// Accents are left out: the text is decomposed, and its nonspacing marks removed.
    var stripsAccents = true
    /// Lower case.
    var lowercases = true

    /// Normalizes a text.
    func normalize(_ text: inout ScalarText) {
        let tables = UnicodeTables.shared
        if cleansText || separatesChinese {
            text.replaceEach { scalar, emit in
                var scalar = scalar
                if cleansText {
                    let classes = tables.classes(of: scalar)
                    if classes.contains(.removedByBERT) { return }
                    if classes.contains(.spaceOfBERT) { scalar = 0x20 }
                }
                if separatesChinese, Self.isChinese(scalar) {
                    emit(0x20)
                    emit(scalar)
                    emit(0x20)
                } else {
                    emit(scalar)
                }
            }
        }
        if stripsAccents {
            UnicodeForm.nfd.normalize(&text)
            text.keep { $0 < 0x300 || !tables.classes(of: $0).contains(.nonspacingMark) }
        }
        if lowercases { text.lowercase(tables) }
    }

    /// Normalizes bytes that are all ASCII; `nil` where one is not.
    func normalizeASCII(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var isPlain = true
        let result = [UInt8](unsafeUninitializedCapacity: bytes.count) { target, count in
            var place = 0
            for byte in bytes {
                if byte >= 0x80 {
                    isPlain = false
                    break
                }
                var byte = byte
                if cleansText, byte < 0x20 || byte == 0x7F {
                    guard byte == 0x09 || byte == 0x0A || byte == 0x0D else { continue }
                    byte = 0x20
                }
                if lowercases, byte >= 0x41, byte <= 0x5A { byte |= 0x20 }
                target[place] = byte
                place += 1
            }
            count = place
        }
        return isPlain ? result : nil
    }

    /// The blocks of Unicode that BERT takes for Chinese: CJK's ideographs, and neither kana nor Hangul.
    private static func isChinese(_ scalar: UInt32) -> Bool {
        guard scalar >= 0x3400 else { return false }
        switch scalar {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x2_0000...0x2_A6DF, 0x2_A700...0x2_B73F, 0x2_B740...0x2_B81F,
            0x2_B920...0x2_CEAF, 0xF900...0xFAFF, 0x2_F800...0x2_FA1F:
            return true
        default: return false
        }
    }
}

extension ScalarText {
    /// In lower case, character by character.
    mutating func lowercase(_ tables: UnicodeTables) {
        replaceEach { scalar, emit in
            if scalar < 0x80 { return emit(scalar >= 0x41 && scalar <= 0x5A ? scalar | 0x20 : scalar) }
            guard tables.classes(of: scalar).contains(.hasLowercase) else { return emit(scalar) }
            for part in tables.lowercase[scalar] { emit(part) }
        }
    }
}
