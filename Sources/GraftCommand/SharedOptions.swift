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

    @Option(help: ArgumentHelp("The numbers that networks compute with.", valueName: "precision"))
    var precision = PrecisionOption.auto

    func validate() throws {
        try require(threads.map { $0 >= 1 } ?? true, "--threads", threads ?? 0, "at least 1")
        guard precision != .bfloat16 else {
            throw ValidationError("--precision: got bfloat16, but this version of graft computes in float32 alone")
        }
    }

    /// As a run of a model takes them.
    func trainingOptions(
        features: FeatureCache = .standard, cancellation: CancellationFlag? = nil, profiler: Profiler? = nil
    ) -> TrainingOptions {
        var options = TrainingOptions(features: features, threads: threads, cancellation: cancellation)
        options.profiler = profiler
        return options
    }
}

/// `--precision`.
enum PrecisionOption: String, CaseIterable, ExpressibleByArgument {
    case auto
    case float32
    case bfloat16
}

/// `--resize`: how a photo of any size becomes one of the network's.
extension ResizeMethod: ExpressibleByArgument {}

/// Refuses an option's value as wrong usage.
func require(_ condition: Bool, _ option: String, _ value: Any, _ expected: String) throws(ValidationError) {
    if !condition { throw ValidationError("\(option): got \(value), needs \(expected)") }
}

/// Makes something of an option's value; a failure is wrong usage.
@discardableResult
func asUsage<Value>(_ make: () throws(GraftError) -> Value) throws(ValidationError) -> Value {
    do { return try make() } catch { throw ValidationError(error.description) }
}

/// Runs a verb: what it throws becomes one sentence on standard error (an object with `--json`) and exit code 1, or that
/// of an interruption where it was asked to stop.
func explain(on console: Console, _ work: () throws -> Void) throws {
    do {
        try work()
    } catch let code as ExitCode {
        throw code
    } catch let error as ValidationError {
        throw error
    } catch {
        console.fail(String(describing: error))
        throw ExitCode((error as? GraftError)?.code == .cancelled ? Interruption.exitCode : 1)
    }
}
