extension StringProtocol {
    /// Keras's snake case: `BatchNormalization` → `batch_normalization`, `Conv2D` → `conv2d`.
    ///
    /// An underscore goes before each capital that a small letter follows, or that follows a small letter.
    package var snakeCased: String {
        let characters = Array(self)
        var result = ""
        for (position, character) in characters.enumerated() {
            if position > 0, character.isUppercase {
                let startsWord = position + 1 < characters.count && characters[position + 1].isLowercase
                if startsWord || characters[position - 1].isLowercase { result += "_" }
            }
            result += character.lowercased()
        }
        return result
    }
}

/// Names the layers of one model.
///
/// Unnamed layers get their class's name in snake case, with the number after the largest that the model has of it, in
/// the order they were made: `conv2d`, `conv2d_1`, … Names do not depend on any other model. Two automatic names that
/// meet in one model give way, that of the later layer; names that users chose must differ.
struct LayerNaming {
    /// A name with a larger number is not taken for one of a row.
    private static let largestNumber = 1 << 30

    private var nextNumbers: [String: Int] = [:]
    private var used: Set<String> = []

    /// Names all layers that have no name yet.
    ///
    /// - Throws: ``GraftError`` with code `argument` where two layers were given the same name.
    static func assign(to layers: [Layer], in model: String) throws(GraftError) {
        var naming = LayerNaming()
        let ordered = layers.unique.sorted { $0.creationSequence < $1.creationSequence }
        for layer in ordered where layer.naming.isExplicit {
            guard naming.used.insert(layer.name).inserted else {
                throw GraftError(
                    .argument, "two layers of the model \(model) are called \(layer.name); give one another name")
            }
            naming.note(layer.name)
        }
        var unnamed: [Layer] = []
        for layer in ordered where !layer.naming.isExplicit {
            if layer.naming.isNamed, naming.used.insert(layer.name).inserted {
                naming.note(layer.name)
            } else {
                unnamed.append(layer)
            }
        }
        for layer in unnamed { layer.rename(naming.next(type(of: layer).className.snakeCased), explicitly: false) }
    }

    private mutating func next(_ base: String) -> String {
        var number = nextNumbers[base, default: 0]
        while used.contains(Self.name(base, number)) { number += 1 }
        nextNumbers[base] = number + 1
        used.insert(Self.name(base, number))
        return Self.name(base, number)
    }

    private mutating func note(_ name: String) {
        nextNumbers[name] = max(nextNumbers[name, default: 0], 1)
        guard let separator = name.lastIndex(of: "_"),
            let number = Int(name[name.index(after: separator)...]), (1...Self.largestNumber).contains(number)
        else { return }
        let base = String(name[..<separator])
        nextNumbers[base] = max(nextNumbers[base, default: 0], number + 1)
    }

    private static func name(_ base: String, _ number: Int) -> String { number == 0 ? base : "\(base)_\(number)" }
}

extension [Layer] {
    /// Each layer once, where it first is.
    var unique: [Layer] {
        var seen: Set<ObjectIdentifier> = []
        return filter { seen.insert(ObjectIdentifier($0)).inserted }
    }
}
