import GraftGraph

/// Examples of which each class has as many in an epoch as the largest one: those of smaller classes come again, in turn.
///
/// Where examples have several views, one that comes again does so in another view. Its features are computed once all the same.
public struct BalancedExamples: Dataset {
    private let examples: any Dataset
    /// For each number of the first view the example, and how often it was there before.
    private let places: [(example: Int, copy: Int)]

    /// Balanced examples.
    ///
    /// - Parameter labels: each example's class.
    /// - Throws: `GraftError` with code `data` for another number of labels than of examples.
    public init(_ examples: any Dataset, labels: [Int]) throws(GraftError) {
        guard labels.count == examples.count else {
            throw GraftError(
                .data, "\(labels.count) labels cannot balance \(examples.count) examples; give one for each")
        }
        self.examples = examples
        let classes = Dictionary(grouping: labels.indices) { labels[$0] }.sorted { $0.key < $1.key }.map(\.value)
        let size = classes.map(\.count).max() ?? 0
        places = classes.flatMap { members in
            (0..<size).map { (example: members[$0 % members.count], copy: $0 / members.count) }
        }
    }

    /// The number of classes times the size of the largest one.
    public var count: Int { places.count }
    /// Those of the examples.
    public var views: Int { examples.views }
    /// Those of the examples.
    public var classNames: [String]? { examples.classNames }
    /// That of the examples.
    public var inputRule: InputRule? { examples.inputRule }
    /// As the examples.
    public var computesTargets: Bool { examples.computesTargets }

    /// The number among the examples.
    private func own(_ number: Int) throws(GraftError) -> Int {
        guard number >= 0, number < numberCount else {
            throw GraftError(.argument, "there is no example \(number) among \(count) balanced ones of \(views) views")
        }
        let place = places[number % count]
        return (number / count + place.copy) % views * examples.count + place.example
    }

    /// These examples.
    ///
    /// - Throws: `GraftError` with code `argument` for a number that is no example's.
    public func batch(_ numbers: [Int]) throws -> Batch {
        let own = try numbers.map { (number) throws(GraftError) in try self.own(number) }
        var batch = try examples.batch(own)
        let reasons = Dictionary(batch.failures.map { ($0.index, $0) }) { first, _ in first }
        batch.indices = zip(numbers, own).filter { reasons[$0.1] == nil }.map(\.0)
        batch.failures = zip(numbers, own).compactMap { number, own in
            reasons[own].map { ExampleFailure(index: number, path: $0.path, message: $0.message) }
        }
        return batch
    }

    /// The targets of these examples.
    public func targets(of indices: [Int]) throws -> [Tensor] {
        try examples.targets(of: indices.map { (number) throws(GraftError) in try own(number) })
    }

    /// That of the example.
    public func fingerprint(of index: Int) throws -> String? { try examples.fingerprint(of: own(index)) }

    /// That of the example.
    public func name(of index: Int) -> String? { (try? own(index)).flatMap { examples.name(of: $0) } }
}
