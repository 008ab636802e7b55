import GraftModel

/// What stands in a call of `keras.ops` beside tensors, as Keras writes it.
extension Configuration {
    /// A slice: `start:stop:step`, each `nil` for Python's own.
    static func slice(from start: Int? = nil, to stop: Int? = nil, step: Int? = nil) -> Configuration {
        func value(_ number: Int?) -> Configuration { number.map { .int($0) } ?? .null }
        return [
            "class_name": "__slice__",
            "config": ["start": value(start), "stop": value(stop), "step": value(step)],
        ]
    }

    /// An array of whole numbers that follow one another.
    static func numbers(from first: Int, count: Int, dtype: String) -> Configuration {
        [
            "class_name": "__numpy__",
            "config": ["value": .array((first..<first + count).map { .int($0) }), "dtype": .string(dtype)],
        ]
    }
}
