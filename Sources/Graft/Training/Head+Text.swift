import GraftModel

extension Head: CustomStringConvertible {
    /// The forms that a part may take in a text, for messages and help.
    public static let forms =
        "flatten, average-pool, max-pool, dense:UNITS[:ACTIVATION], dropout:RATE, batch-normalization, "
        + "standardize, centered"

    /// Reads parts separated by commas: `flatten,dense:1024:relu,dropout:0.2`.
    ///
    /// - Throws: `GraftError` with code `argument` that names the part that is not one.
    public init(_ text: String) throws(GraftError) {
        parts = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            parts.append(try Self.part(part.trimmingPrefix { $0 == " " }))
        }
    }

    /// The text that gives the same head.
    public var description: String { parts.map(Self.text).joined(separator: ",") }

    private static func text(_ part: Part) -> String {
        switch part {
        case .flatten: "flatten"
        case .averagePool: "average-pool"
        case .maxPool: "max-pool"
        case .dense(let units, .linear): "dense:\(units)"
        case .dense(let units, let activation): "dense:\(units):\(activation.rawValue)"
        case .dropout(let rate): "dropout:\(rate)"
        case .batchNormalization: "batch-normalization"
        case .standardize: "standardize"
        case .centered: "centered"
        }
    }

    private static func part(_ text: Substring) throws(GraftError) -> Part {
        let words = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch (words[0], words.count) {
        case ("flatten", 1): return .flatten
        case ("average-pool", 1): return .averagePool
        case ("max-pool", 1): return .maxPool
        case ("batch-normalization", 1): return .batchNormalization
        case ("standardize", 1): return .standardize
        case ("centered", 1): return .centered
        case ("dense", 2...3):
            guard let units = Int(words[1]), units > 0, units <= 1 << 20 else {
                throw invalid(text, "the units must be a whole number from 1 to 1048576")
            }
            let name = words.count == 3 ? words[2] : "linear"
            guard let activation = ActivationFunction(kerasName: name) else {
                let names = ActivationFunction.allCases.map(\.rawValue).joined(separator: ", ")
                throw invalid(text, "the activation must be one of \(names)")
            }
            return .dense(units, activation: activation)
        case ("dropout", 2):
            guard let rate = Double(words[1]), rate >= 0, rate < 1 else {
                throw invalid(text, "the rate must be at least 0 and less than 1")
            }
            return .dropout(rate)
        default: throw invalid(text, "the forms are \(forms)")
        }
    }

    private static func invalid(_ text: Substring, _ reason: String) -> GraftError {
        GraftError(.argument, "head: '\(text)' is not a layer: \(reason)")
    }
}
