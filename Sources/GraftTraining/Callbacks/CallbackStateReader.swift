import GraftModel

/// Reads the values of a state that may come from a damaged or foreign file.
package struct CallbackStateReader {
    private let owner: String
    private let values: Configuration

    package init(_ owner: String, _ state: CallbackState) { (self.owner, values) = (owner, state.values) }

    /// A figure as ``Configuration/figure(_:)`` wrote it.
    package func figure(_ name: String) throws(GraftError) -> Double? {
        let value = try value(name)
        if value.isNull { return nil }
        if let number = value.number ?? value.text.flatMap(Double.init) { return number }
        throw error("\(name) is \(value), not a number")
    }

    /// A count as ``Configuration/count(_:)`` wrote it.
    package func count(_ name: String) throws(GraftError) -> Int? {
        let value = try value(name)
        if value.isNull { return nil }
        guard let number = value.integer, number >= 0 else { throw error("\(name) is \(value), not a count") }
        return number
    }

    package func text(_ name: String) throws(GraftError) -> String? {
        let value = try value(name)
        if value.isNull { return nil }
        guard let text = value.text else { throw error("\(name) is \(value), not text") }
        return text
    }

    package func texts(_ name: String) throws(GraftError) -> [String]? {
        let value = try value(name)
        if value.isNull { return nil }
        guard let texts = value.elements?.map(\.text), !texts.contains(nil) else {
            throw error("\(name) is \(value), not a list of text")
        }
        return texts.compactMap(\.self)
    }

    package func error(_ problem: String) -> GraftError {
        GraftError(
            .format,
            "the checkpoint's state is not one of \(owner): \(problem); resume with the callbacks that the run had")
    }

    private func value(_ name: String) throws(GraftError) -> Configuration {
        guard let value = values[name] else { throw error("it has no \(name)") }
        return value
    }
}

extension Configuration {
    /// A figure of a callback's state: JSON has no infinite numbers, so those are text.
    package static func figure(_ value: Double?) -> Configuration {
        guard let value else { return .null }
        return value.isFinite ? .double(value) : .string("\(value)")
    }

    /// A count of a callback's state.
    package static func count(_ value: Int?) -> Configuration { value.map { .int($0) } ?? .null }
}
