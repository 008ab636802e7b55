/// Arguments of Keras's layer that Graft takes in one form alone.
struct FixedArguments: Sendable {
    let keys: [String]
    let value: Configuration
    /// Whether Keras writes them.
    var isWritten = true
    /// Whether they change nothing, so that a file may say any number.
    var isIgnored = false

    /// Images have their channels last.
    static let channelsLast = only("data_format", "channels_last")

    /// This value and no other.
    static func only(_ key: String, _ value: Configuration) -> Self { Self(keys: [key], value: value) }

    /// `null` and nothing else: constraints for instance.
    static func null(_ keys: String...) -> Self { Self(keys: keys, value: nil) }

    /// `null` and nothing else, where a file has them; they are not written.
    static func unwritten(_ keys: String...) -> Self { Self(keys: keys, value: nil, isWritten: false) }

    /// Anything: what a file says there is in its weights already. It is not written.
    static func anything(_ keys: String...) -> Self {
        Self(keys: keys, value: nil, isWritten: false, isIgnored: true)
    }

    /// Any number; this one is written.
    static func ignored(_ key: String, _ value: Double) -> Self {
        Self(keys: [key], value: .double(value), isIgnored: true)
    }

    func check(_ reader: inout ConfigurationReader) throws(GraftError) {
        for key in keys {
            switch (isIgnored, isWritten) {
            case (true, true): _ = try reader.number(key, default: 0)
            case (true, false): _ = reader.optional(key)
            default: try reader.require(key, value)
            }
        }
    }
}
