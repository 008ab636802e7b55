import ArgumentParser
import Graft

/// `--json`, which every verb has.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON object a line on standard output; text for people goes to standard error.")
    var json = false

    var console: Console { Console(json: json) }
}

/// How the machine is used.
struct MachineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How many processor cores to use; all if not given.", valueName: "N"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "The numbers that convolutions compute with; auto takes bfloat16 where the processor has it. If not given, auto "
                + "for what trains, float32 for the rest.",
            valueName: "precision"))
    var precision: PrecisionOption?

    func validate() throws {
        try require(threads.map { $0 >= 1 } ?? true, "--threads", threads ?? 0, "at least 1")
    }

    /// As a run of a model takes them.
    ///
    /// - Parameter trains: whether the run trains the model, so that speed comes first where nothing else was said.
    func trainingOptions(
        features: FeatureCache = .standard, trains: Bool = false, cancellation: CancellationFlag? = nil,
        profiler: Profiler? = nil
    ) -> TrainingOptions {
        var options = TrainingOptions(
            features: features, threads: threads, precision: choice(trains: trains).precision,
            cancellation: cancellation)
        options.profiler = profiler
        return options
    }

    private func choice(trains: Bool) -> PrecisionOption { precision ?? (trains ? .auto : .float32) }

    /// Finds out before anything is done.
    ///
    /// - Throws: `GraftError` where bfloat16 is asked for and the processor does not have it.
    func checkPrecision() throws(GraftError) { _ = try precision?.precision.resolved() }

    /// Says which precision a run takes whose network no images can try beforehand; one that trains nothing says it where
    /// it was asked for.
    ///
    /// - Throws: `GraftError` where bfloat16 is asked for and the processor does not have it.
    func tellPrecision(trains: Bool = false, on console: Console) throws(GraftError) {
        guard trains || precision != nil else { return }
        try SettledPrecision(unmeasured: choice(trains: trains).precision).tell(on: console)
    }
}

/// `--precision`.
enum PrecisionOption: String, CaseIterable, ExpressibleByArgument {
    case auto
    case float32
    case bfloat16

    init(_ precision: Precision) {
        switch precision {
        case .automatic: self = .auto
        case .float32: self = .float32
        case .bfloat16: self = .bfloat16
        }
    }

    var precision: Precision {
        switch self {
        case .auto: .automatic
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }
}

/// `--resize`: how a photo of any size becomes one of the network's.
extension ResizeMethod: ExpressibleByArgument {}

/// `--fit`: what becomes of its proportion.
extension ImageFit: ExpressibleByArgument {}

/// `--window`: which of its values are seen.
extension IntensityWindow: ExpressibleByArgument {}

/// Refuses an option's value as wrong usage.
func require(_ condition: Bool, _ option: String, _ value: Any, _ expected: String) throws(ValidationError) {
    if !condition { throw ValidationError("\(option): got \(value), needs \(expected)") }
}

/// Makes something of an option's value; a failure is wrong usage.
@discardableResult
func asUsage<Value>(_ make: () throws(GraftError) -> Value) throws(ValidationError) -> Value {
    do { return try make() } catch { throw ValidationError(error.description) }
}

/// Does what the library may refuse for an argument; the message then names the option in the argument's place.
func naming<Value>(
    _ option: String, for argument: String, _ work: () throws(GraftError) -> Value
) throws(GraftError) -> Value {
    do throws(GraftError) {
        return try work()
    } catch {
        let place = argument + ": "
        guard error.message.hasPrefix(place) else { throw error }
        throw GraftError(error.code, "\(option): \(error.message.dropFirst(place.count))", cause: error.cause)
    }
}

/// Does what the library may refuse for an option's value; the message then begins with the option.
func underOption<Value>(_ option: String, _ work: () throws(GraftError) -> Value) throws(GraftError) -> Value {
    do throws(GraftError) {
        return try work()
    } catch {
        throw GraftError(error.code, "\(option): \(error.message)", cause: error.cause)
    }
}

/// Runs a verb: what it throws becomes one sentence on standard error (an object with `--json`) and exit code 1, or that
/// of an interruption where it was asked to stop.
func explain(on console: Console, _ work: () throws -> Void) throws {
    do {
        try work()
        if let failure = console.outputFailure { throw failure }
    } catch let code as ExitCode {
        throw code
    } catch let error as ValidationError {
        throw error
    } catch {
        console.fail((error as? GraftError ?? GraftError(.state, "it failed", cause: error)).description)
        throw ExitCode((error as? GraftError)?.code == .cancelled ? Interruption.exitCode : 1)
    }
}
