import ArgumentParser
import Foundation
import Graft

/// What `train`, `evaluate` and others are told of texts.
struct TextArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Texts: the column of a table that holds them. (default: text, sentence, question, … whichever is there)",
            valueName: "name"))
    var textColumn: String?

    @Option(
        help: ArgumentHelp(
            "Texts: the column of a table that holds their classes. (default: label, category, class, … whichever is there)",
            valueName: "name"))
    var labelColumn: String?

    /// Which columns count.
    var columns: TextListing.Columns { TextListing.Columns(text: textColumn, label: labelColumn) }
}

/// What the base of texts is, for `train` and `features`.
struct TextBaseArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Texts: what makes tokens of them, tokenizer.json, vocab.txt, or a folder with one. (default: that beside the "
                + "weights)", valueName: "file|folder"))
    var tokenizer: String?

    @Option(
        help: ArgumentHelp(
            "Texts: the most tokens of one; what is longer is cut off. (default: what holds all, from 128 to 512)",
            valueName: "N"))
    var maximumLength: Int?

    @Option(
        help: ArgumentHelp(
            "Texts: what becomes of the vectors of a text's tokens: their mean, that of the first, or BERT's pooler on it. "
                + "(default: mean)", valueName: "mean|first|pooler"))
    var pooling: TextPooling?

    func validate() throws {
        if let maximumLength {
            try require((4...1_048_576).contains(maximumLength), "--maximum-length", maximumLength, "at least 4")
        }
        try require(pooling != TextPooling.none, "--pooling", "none", "mean, first or pooler")
    }
}

extension TextPooling: ExpressibleByArgument {}
