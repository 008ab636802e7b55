import GraftGraph

/// What is to be learned of examples with labels: the task, the classes, and each example's targets.
package struct LabelTargets: Sendable {
    /// An example's labels, and what it is called.
    package struct Example: Sendable {
        let name: String
        let labels: [String]
        let part: DatasetPart

        package init(name: String, labels: [String], part: DatasetPart) {
            (self.name, self.labels, self.part) = (name, labels, part)
        }
    }

    /// What messages call examples.
    package struct Noun: Sendable {
        let singular: String
        let plural: String
        /// How they get labels.
        let advice: String

        package init(_ singular: String, _ plural: String, advice: String) {
            (self.singular, self.plural, self.advice) = (singular, plural, advice)
        }
    }

    package let task: LearningTask
    /// Empty for a regression.
    package let classNames: [String]
    private let examples: [Example]
    /// The numbers of each example, for a regression.
    private let values: [[Float]]

    /// What is learned where nothing is said: labels if any example has several, else classes.
    package static func usualTask(_ labels: some Sequence<[String]>) -> LearningTask {
        labels.contains { $0.count > 1 } ? .labels : .classes
    }

    /// - Parameters:
    ///   - examples: those that have what the task needs.
    ///   - path: where they come from, for messages.
    ///   - expected: the classes of a model, in its order; those of the examples, sorted, where `nil`.
    /// - Throws: `GraftError` with code `data` where labels do not fit.
    package init(
        _ examples: [Example], _ task: LearningTask, path: String, noun: Noun, expected: [String]?
    ) throws(GraftError) {
        guard !examples.isEmpty else {
            throw GraftError(.data, "\(path): no \(noun.singular) has a label; \(noun.advice)")
        }
        (self.task, self.examples) = (task, examples)
        if task == .regression {
            (classNames, values) = ([], try Self.numbers(of: examples, noun))
        } else {
            values = []
            classNames = try Self.classNames(of: examples, task, path, noun, expected: expected)
        }
    }

    /// The class of each of some examples.
    package func classes(of indices: [Int]) -> [Int] {
        let numbers = self.numbers
        return indices.map { examples[$0].labels.first.flatMap { numbers[$0] } ?? 0 }
    }

    /// The numbers that are the targets of some examples: 0 or 1 for each label, or those of a regression.
    package func values(of indices: [Int]) -> [[Float]] {
        guard task == .labels else { return indices.map { values[$0] } }
        let numbers = self.numbers
        return indices.map { index in
            var row = [Float](repeating: 0, count: classNames.count)
            for label in examples[index].labels { if let number = numbers[label] { row[number] = 1 } }
            return row
        }
    }

    private var numbers: [String: Int] { Dictionary(uniqueKeysWithValues: zip(classNames, classNames.indices)) }

    /// Which of some examples are set aside, class by class; of other tasks all together.
    ///
    /// - Parameter names: what decides, for each of the examples.
    package func isValidation(_ indices: [Int], _ split: ValidationSplit, names: [String]) -> [Bool] {
        var sides = [Bool](repeating: false, count: indices.count)
        let classes = Dictionary(grouping: indices.indices) { task == .classes ? examples[indices[$0]].labels : [] }
        for members in classes.values {
            for (place, side) in zip(members, split.isValidation(members.map { names[$0] })) { sides[place] = side }
        }
        return sides
    }

    // MARK: What labels say

    private static func classNames(
        of examples: [Example], _ task: LearningTask, _ path: String, _ noun: Noun, expected: [String]?
    ) throws(GraftError) -> [String] {
        let names = Set(examples.flatMap(\.labels)).sorted { FolderListing.precedes($0, $1) }
        if task == .classes, let example = examples.first(where: { $0.labels.count > 1 }) {
            throw GraftError(
                .data,
                "\(example.name) has the labels \(example.labels.joined(separator: " and ")); one class is expected of each "
                    + noun.singular)
        }
        if let expected {
            if let unknown = names.first(where: { !expected.contains($0) }) {
                throw GraftError(
                    .data,
                    "\(path) has the label \(unknown), which the model does not know; it knows "
                        + expected.prefix(10).joined(separator: ", "))
            }
            return expected
        }
        guard names.count > 1 else {
            throw GraftError(
                .data,
                "\(path) has the single label \(names.first ?? ""); telling \(noun.plural) apart takes at least two")
        }
        let trained = Set(examples.filter { $0.part == .training }.flatMap(\.labels))
        if let missing = names.first(where: { !trained.contains($0) }) {
            throw GraftError(
                .data,
                "\(path): the label \(missing) has no \(noun.singular) for training; give it one, or leave it out")
        }
        return names
    }

    private static func numbers(of examples: [Example], _ noun: Noun) throws(GraftError) -> [[Float]] {
        var rows: [[Float]] = []
        for example in examples {
            let numbers = example.labels.compactMap(Float.init)
            guard numbers.count == example.labels.count, numbers.allSatisfy(\.isFinite) else {
                throw GraftError(
                    .data,
                    "\(example.name) has the label '\(example.labels.joined(separator: "|"))', and a regression needs numbers"
                )
            }
            guard numbers.count == rows.first?.count ?? numbers.count else {
                throw GraftError(
                    .data,
                    "\(example.name) has \(numbers.count) numbers and the \(noun.singular) before it \(rows[0].count); "
                        + "a regression needs as many of each")
            }
            rows.append(numbers)
        }
        return rows
    }
}
