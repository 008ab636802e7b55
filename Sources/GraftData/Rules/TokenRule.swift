import GraftGraph

/// How a text becomes a tensor: the ids of its tokens, cut off or filled up to one length.
///
/// Ids are whole numbers from 0 to 2²⁴, which tensors of int32 and of float32 hold exactly.
public struct TokenRule: Hashable, Sendable {
    /// The largest id that float32 tensors hold with all that are below it.
    public static let largestID = 1 << 24

    /// How many tokens an example has.
    public let maximumLength: Int
    /// The id that fills up a shorter text.
    public let paddingID: Int
    /// Names the vocabulary that gives tokens their ids: the fingerprint of its file for instance.
    public let vocabulary: String
    /// The tokenizer itself, as Hugging Face's `tokenizer.json` has it, so that a saved model needs no other file; `nil` where
    /// somebody else makes ids of texts.
    public let tokenizer: String?

    /// A rule; padding has the id 0 by default.
    ///
    /// - Throws: `GraftError` with code `argument` for a length below 1, and for an id that a float32 tensor does not hold.
    public init(
        maximumLength: Int, paddingID: Int = 0, vocabulary: String, tokenizer: String? = nil
    ) throws(GraftError) {
        guard maximumLength >= 1 else {
            throw GraftError(.argument, "a text's maximum length is \(maximumLength); it must be at least 1 token")
        }
        guard (0...Self.largestID).contains(paddingID) else {
            throw GraftError(.argument, "the padding id is \(paddingID); it must be from 0 to \(Self.largestID)")
        }
        (self.maximumLength, self.paddingID, self.vocabulary) = (maximumLength, paddingID, vocabulary)
        self.tokenizer = tokenizer
    }

    /// The shortest length that texts are filled up to where a few lengths serve.
    private static let shortestLength = 16

    /// The lengths that texts are filled up to, so that short ones cost little: 16 and its doubles below ``maximumLength``, and
    /// that.
    public var paddedLengths: [Int] {
        var lengths = Array(sequence(first: Self.shortestLength) { $0 * 2 }.prefix { $0 < maximumLength })
        lengths.append(maximumLength)
        return lengths
    }

    /// The shape of one text as a tensor.
    public var shape: Shape { [maximumLength] }
}
