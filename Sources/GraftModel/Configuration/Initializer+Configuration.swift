extension Initializer {
    /// As Keras serializes the object.
    package var configuration: Configuration {
        let (className, arguments) = serialized
        return [
            "module": "keras.initializers", "class_name": .string(className), "config": .object(arguments),
            "registered_name": nil,
        ]
    }

    private var serialized: (String, [String: Configuration]) {
        let seed: Configuration = seed.map { .int($0) } ?? .null
        switch kind {
        case .zeros: return ("Zeros", [:])
        case .ones: return ("Ones", [:])
        case .constant(let value): return ("Constant", ["value": .double(value)])
        case .randomNormal(let mean, let deviation):
            return ("RandomNormal", ["mean": .double(mean), "stddev": .double(deviation), "seed": seed])
        case .randomUniform(let minimum, let maximum):
            return ("RandomUniform", ["minval": .double(minimum), "maxval": .double(maximum), "seed": seed])
        case .truncatedNormal(let mean, let deviation):
            return ("TruncatedNormal", ["mean": .double(mean), "stddev": .double(deviation), "seed": seed])
        case .orthogonal(let gain): return ("Orthogonal", ["gain": .double(gain), "seed": seed])
        case .varianceScaling(let scaling, let className):
            var arguments: [String: Configuration] = ["seed": seed, "input_axes": nil, "output_axes": nil]
            if className == "VarianceScaling" {
                arguments["scale"] = .double(scaling.scale)
                arguments["mode"] = .string(scaling.mode.rawValue)
                arguments["distribution"] = .string(scaling.distribution.rawValue)
            }
            return (className, arguments)
        }
    }

    /// From Keras's serialized object, or from a name such as `glorot_uniform`.
    package init(configuration: Configuration) throws(GraftError) {
        if let name = configuration.text {
            self = try Self.named(name, .object([:]))
            return
        }
        guard let className = configuration["class_name"]?.text else {
            throw GraftError(.format, "is no initializer: \(configuration.brief)")
        }
        if let type = SerializedClass(configuration), type.isCustom {
            throw GraftError(.format, "is of the custom class \(type.fullName); use one of Keras's own initializers")
        }
        self = try Self.named(className, configuration["config"] ?? .object([:]))
    }

    private static func named(_ name: String, _ arguments: Configuration) throws(GraftError) -> Initializer {
        func number(_ key: String, _ fallback: Double) -> Double { arguments[key]?.number ?? fallback }
        for key in ["input_axes", "output_axes"] where arguments[key].map({ !$0.isNull }) ?? false {
            throw GraftError(.format, "has \(key); Graft knows only null there")
        }
        let seed = try seed(arguments["seed"])
        switch name.contains("_") ? name : name.snakeCased {
        case "zeros": return .zeros
        case "ones": return .ones
        case "constant": return .constant(number("value", 0))
        case "glorot_uniform": return .glorotUniform(seed: seed)
        case "glorot_normal": return .glorotNormal(seed: seed)
        case "he_uniform": return .heUniform(seed: seed)
        case "he_normal": return .heNormal(seed: seed)
        case "lecun_uniform": return .lecunUniform(seed: seed)
        case "lecun_normal": return .lecunNormal(seed: seed)
        case "random_normal":
            return .randomNormal(mean: number("mean", 0), standardDeviation: number("stddev", 0.05), seed: seed)
        case "truncated_normal":
            return .truncatedNormal(mean: number("mean", 0), standardDeviation: number("stddev", 0.05), seed: seed)
        case "random_uniform":
            return .randomUniform(minimum: number("minval", -0.05), maximum: number("maxval", 0.05), seed: seed)
        case "orthogonal", "orthogonal_initializer": return .orthogonal(gain: number("gain", 1), seed: seed)
        case "variance_scaling": return try varianceScaling(arguments, seed: seed)
        default: throw GraftError(.format, "names the initializer \(name.prefix(60)), which Graft does not know")
        }
    }

    private static func varianceScaling(_ arguments: Configuration, seed: Int?) throws(GraftError) -> Initializer {
        guard let mode = FanMode(rawValue: arguments["mode"]?.text ?? "fan_in"),
            let distribution = Distribution(rawValue: arguments["distribution"]?.text ?? "truncated_normal")
        else { throw GraftError(.format, "has a mode or distribution of VarianceScaling that Graft does not know") }
        return .varianceScaling(
            scale: arguments["scale"]?.number ?? 1, mode: mode, distribution: distribution, seed: seed)
    }

    /// A seed is a number or null; a generator object has one in its configuration.
    private static func seed(_ value: Configuration?) throws(GraftError) -> Int? {
        guard let value, !value.isNull else { return nil }
        if let seed = value.integer ?? value["config"]?["seed"]?.integer { return seed }
        throw GraftError(.format, "has a seed that is no whole number: \(value.brief)")
    }
}
