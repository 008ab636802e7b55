import GraftGraph
import GraftModel

extension History {
    /// As a checkpoint keeps it.
    package var configuration: Configuration {
        [
            "epochs": .array(epochs.map { .int($0) }), "seconds": .array(seconds.map { .double($0) }),
            "values": .object(values.mapValues { .array($0.map { .double($0) }) }),
            "failures": .array(
                failures.map {
                    ["index": .int($0.index), "path": .string($0.path), "message": .string($0.message)]
                }),
            "trunk_seconds": .double(trunkSeconds), "example_count": .int(exampleCount),
            "reused_feature_count": .int(reusedFeatureCount),
        ]
    }

    /// Takes what ``configuration`` gave.
    ///
    /// - Throws: `GraftError` with code `format` for anything else.
    package init(configuration: Configuration) throws(GraftError) {
        let stored = StoredValues(configuration, place: "history.")
        epochs = try stored.integers("epochs", in: 1..<(.max))
        seconds = try Self.numbers(.array(stored.elements("seconds")), "seconds", stored)
        for (key, list) in try stored.part("values").members {
            values[key] = try Self.numbers(list, "values.\(key)", stored)
        }
        guard seconds.count == epochs.count else { throw stored.wrong("seconds", "has not one number an epoch") }
        for failure in try stored.elements("failures") {
            let failure = StoredValues(failure, place: "history.failures.")
            failures.append(
                ExampleFailure(
                    index: try failure.integer("index", in: 0...(.max)), path: try failure.text("path"),
                    message: try failure.text("message")))
        }
        trunkSeconds = try stored.number("trunk_seconds")
        exampleCount = try stored.integer("example_count", in: 0...(.max))
        reusedFeatureCount = try stored.integer("reused_feature_count", in: 0...(.max))
    }

    private static func numbers(
        _ list: Configuration, _ key: String, _ stored: StoredValues
    ) throws(GraftError) -> [Double] {
        let numbers = (list.elements ?? []).compactMap(\.number)
        guard let count = list.elements?.count, count == numbers.count else {
            throw stored.wrong(key, "is no list of numbers")
        }
        return numbers
    }
}
