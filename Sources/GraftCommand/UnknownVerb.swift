import ArgumentParser
import GraftModel

/// A first word that is no verb: `graft trian photos`.
struct UnknownVerb {
    /// Which it is, and which was meant.
    let message: String

    /// The verbs that there are, with the one that the argument parser adds.
    private static let verbs = GraftCommand.configuration.subcommands.map { $0._commandName } + ["help"]

    /// `nil` where the words begin with a verb, with an option, or are none.
    init?(_ words: [String]) {
        guard let word = words.first, !word.hasPrefix("-"), !Self.verbs.contains(word) else { return nil }
        let nearest = NearestNames.find(word, among: Self.verbs, limit: 1).joined()
        let verbs = Self.verbs.joined(separator: ", ")
        let edits = NearestNames.distance(
            Array(word.lowercased().unicodeScalars.prefix(64)), Array(nearest.unicodeScalars))
        let isNear = edits <= max(2, nearest.count / 3)
        message =
            "there is no verb '\(word)'; " + (isNear ? "did you mean '\(nearest)'? The" : "the") + " verbs are \(verbs)"
    }
}
