import GraftModel

/// What constants may cost: each time that one is read, and each that is computed, counts. A few numbers in a file could be read ten
/// thousand times otherwise, or stand for arrays of any size.
final class ONNXConstantBudget {
    /// More numbers than shapes and what is computed of them have.
    private static let allowance = 1 << 20
    private var rest: Int

    /// - Parameter held: how many numbers the file holds; few are read twice.
    init(held: Int) { rest = Self.allowance + 4 * held }

    /// Counts numbers that are read or were computed.
    func take(_ count: Int) throws(GraftError) {
        rest -= count
        guard rest >= 0 else {
            throw GraftError(.format, "the file reads and computes more constants than a few times what it holds")
        }
    }

    /// Sees to it that there is room for what is about to be computed.
    func check(_ dimensions: [Int]) throws(GraftError) {
        var count = 1
        for dimension in dimensions {
            let (product, isTooLarge) = count.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !isTooLarge, product <= rest else {
                throw GraftError(
                    .format, "it computes constants of the sizes \(dimensions.prefix(8)), more than the file bears")
            }
            count = product
        }
    }
}
