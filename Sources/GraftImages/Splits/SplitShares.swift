import GraftData
import GraftGraph

/// How much of the images each part gets; together all.
public struct SplitShares: Sendable, Hashable {
    /// Of the images to learn from.
    public let training: Double
    /// Of those to choose by.
    public let validation: Double
    /// Of those that decide nothing.
    public let test: Double

    /// Shares from 0 to 1 whose sum is 1, but for rounding.
    ///
    /// - Throws: `GraftError` with code `argument` otherwise, and where nothing is left to train on.
    public init(training: Double, validation: Double, test: Double) throws(GraftError) {
        let all = [training, validation, test]
        guard all.allSatisfy({ (0...1).contains($0) }), abs(all.reduce(0, +) - 1) < 1e-6 else {
            throw GraftError(
                .argument,
                "the shares of training, validation and test must be from 0 to 1 with a sum of 1, such as 0.7, 0.15 and 0.15; "
                    + "they are \(training), \(validation) and \(test)")
        }
        guard training > 0 else {
            throw GraftError(.argument, "the share of training is 0, which leaves nothing to learn from")
        }
        (self.training, self.validation, self.test) = (training, validation, test)
    }

    /// Reads `0.7,0.15,0.15`, or `0.8,0.2` for no test part.
    ///
    /// - Throws: `GraftError` with code `argument` for any other text.
    public init(_ text: String) throws(GraftError) {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0.trimmingPrefix(" "))
        }
        guard (2...3).contains(numbers.count), let training = numbers[0], let validation = numbers[1],
            let test = numbers.count == 3 ? numbers[2] : 0
        else {
            throw GraftError(
                .argument,
                "'\(text)' is no split; give the shares of training, validation and test, such as 0.7,0.15,0.15")
        }
        try self.init(training: training, validation: validation, test: test)
    }

    /// The part of a place between 0 and 1: training first, then validation, then test.
    func part(at place: Double) -> DatasetPart {
        // A part without a share gets nothing, whatever rounding does at its border.
        if place < training || validation + test == 0 { return .training }
        if validation > 0, place < training + validation || test == 0 { return .validation }
        return .test
    }
}
