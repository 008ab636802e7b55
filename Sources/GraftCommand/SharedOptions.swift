import ArgumentParser
import Graft

/// `--json`, which every verb has.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON object a line on standard output; text for people goes to standard error.")
    var json = false

    var console: Console { Console(json: json) }
}

/// Which published weights a base begins with.
enum WeightsOption: ExpressibleByArgument, Equatable {
    case imagenet
    case none
    case file(String)

    init(argument: String) {
        switch argument {
        case "imagenet": self = .imagenet
        case "none": self = .none
        default: self = .file(argument)
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .imagenet: "imagenet"
        case .none: "none"
        case .file(let path): path
        }
    }
}

/// `--resize`: how a photo of any size becomes one of the network's.
extension ResizeMethod: ExpressibleByArgument {}

/// `--threads`.
struct MachineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How many processor cores to use.", valueName: "N"))
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads: got \(threads), needs at least 1") }
    }
}

/// Runs a verb: what it throws becomes one sentence on standard error (an object with `--json`) and exit code 1.
func explain(on console: Console, _ work: () throws -> Void) throws {
    do {
        try work()
    } catch let code as ExitCode {
        throw code
    } catch let error as ValidationError {
        throw error
    } catch {
        let message = (error as? GraftError)?.description ?? String(describing: error)
        console.fail(message)
        throw ExitCode(1)
    }
}
