/// The range that a random amount is drawn from: two numbers, or one for both directions.
///
/// Keras's `factor` arguments: `0.2` is the range from −0.2 to 0.2.
public struct ImageFactor: Hashable, Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    /// The smallest amount.
    public let lower: Double
    /// The largest amount.
    public let upper: Double
    /// The one number that was given; `nil` for two.
    let single: Double?

    /// From one amount to another.
    public init(_ first: Double, _ second: Double) {
        (lower, upper, single) = (min(first, second), max(first, second), nil)
    }

    /// As far in one direction as in the other.
    public init(_ amount: Double) { (lower, upper, single) = (-abs(amount), abs(amount), amount) }
    /// As far in one direction as in the other.
    public init(floatLiteral value: Double) { self.init(value) }
    /// As far in one direction as in the other.
    public init(integerLiteral value: Int) { self.init(Double(value)) }

    /// The same as two numbers, none below the least.
    func pair(notBelow least: Double) -> ImageFactor { ImageFactor(max(lower, least), upper) }

    /// An amount for each uniform number in [0, 1), after something is added to all.
    func amounts(_ uniform: ValueID, plus added: Double = 0, in graph: inout Graph) throws(GraftError) -> ValueID {
        try graph.binary(
            .add, graph.binary(.multiply, uniform, Float(upper - lower)), Float(lower + added))
    }
}

extension ImageFactor: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        if let amount = configuration.number {
            self.init(amount)
            return
        }
        let numbers = configuration.elements?.compactMap(\.number) ?? []
        guard numbers.count == 2, configuration.elements?.count == 2 else {
            throw configuration.isNot("a number or a list of two")
        }
        self.init(numbers[0], numbers[1])
    }

    /// As it was given.
    var configuration: Configuration { single.map { .double($0) } ?? [.double(lower), .double(upper)] }
}

extension Requirement<ImageFactor> {
    /// Inside these bounds.
    static func within(_ bounds: ClosedRange<Double>) -> Self {
        Self { factor in
            bounds.contains(factor.lower) && bounds.contains(factor.upper)
                ? nil
                : "must be from \(bounds.lowerBound) to \(bounds.upperBound), is \(factor.lower) to \(factor.upper)"
        }
    }
}

extension FillMode: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        let mode = configuration.text.flatMap { Self(rawValue: $0) }
        self = try configuration.expect(mode, "constant, nearest, reflect or wrap")
    }

    var configuration: Configuration { .string(rawValue) }
}

extension Requirement<Interpolation> {
    /// What images that are turned can be read with.
    static var nearestOrBilinear: Self {
        Self { [.nearest, .bilinear].contains($0) ? nil : "must be nearest or bilinear, is \($0)" }
    }
}
