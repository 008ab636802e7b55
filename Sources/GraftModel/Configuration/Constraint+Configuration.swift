extension Constraint: ConfigurationValue {
    /// As Keras serializes the object.
    package var configuration: Configuration {
        let axes: Configuration = axes.count == 1 ? .int(axes[0]) : axes.configuration
        let (name, arguments): (String, [String: Configuration])
        switch kind {
        case .maxNorm(let limit): (name, arguments) = ("MaxNorm", ["max_value": .double(limit), "axis": axes])
        case .nonNegative: (name, arguments) = ("NonNeg", [:])
        case .unitNorm: (name, arguments) = ("UnitNorm", ["axis": axes])
        case .minMaxNorm(let lower, let upper, let rate):
            name = "MinMaxNorm"
            arguments = [
                "min_value": .double(lower), "max_value": .double(upper), "rate": .double(rate), "axis": axes,
            ]
        }
        return [
            "module": "keras.constraints", "class_name": .string(name), "config": .object(arguments),
            "registered_name": nil,
        ]
    }

    /// From Keras's serialized object, or from a name such as `non_neg`.
    package init(configuration: Configuration) throws(GraftError) {
        if let type = SerializedClass(configuration), type.isCustom {
            throw GraftError(.format, "is of the custom class \(type.fullName); Graft knows \(Self.known)")
        }
        let name = configuration.text ?? configuration["class_name"]?.text ?? ""
        let arguments = configuration["config"] ?? .object([:])
        func number(_ key: String, _ fallback: Double) -> Double { arguments[key]?.number ?? fallback }
        let axes = try arguments["axis"].map { (axis) throws(GraftError) in try Self.axes(axis) } ?? [0]
        switch name.contains("_") ? name : name.snakeCased {
        case "max_norm": self = .maxNorm(number("max_value", 2), axes: axes)
        case "non_neg", "nonneg": self = .nonNegative
        case "unit_norm": self = .unitNorm(axes: axes)
        case "min_max_norm":
            self = .minMaxNorm(
                number("min_value", 0), number("max_value", 1), rate: number("rate", 1), axes: axes)
        default: throw GraftError(.format, "is \(configuration.brief); Graft knows \(Self.known)")
        }
    }

    private static let known = "MaxNorm, NonNeg, UnitNorm and MinMaxNorm"

    private static func axes(_ value: Configuration) throws(GraftError) -> [Int] {
        let elements = value.elements ?? [value]
        let axes = elements.compactMap(\.integer)
        guard !axes.isEmpty, axes.count == elements.count else { throw value.isNot("whole numbers for the axis") }
        return axes
    }
}
