import ArgumentParser
import Foundation
import Graft

/// `graft serve`: another program's verb, whose arguments are handed on as they are.
struct ServeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Answer what images show over HTTP (make serve builds it).")

    @Argument(parsing: .captureForPassthrough, help: "Models and options; graft serve --help explains them.")
    var arguments: [String] = []

    func run() throws { try ServeProgram.become("serve", arguments) }
}

/// `graft studio`: the same program's page.
struct StudioVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "studio", abstract: "Train on a page in the browser (make serve builds it).")

    @Argument(parsing: .captureForPassthrough, help: "A folder and options; graft studio --help explains them.")
    var arguments: [String] = []

    func run() throws { try ServeProgram.become("studio", arguments) }
}

/// The program `graft-serve`, which is built by itself, as it needs a web server's packages.
enum ServeProgram {
    static let name = "graft-serve"
    /// The variable that names it where it does not lie beside `graft`.
    static let variable = "GRAFT_SERVE"

    /// Goes on as that program, with the same process number, so that signals reach it.
    ///
    /// - Throws: `GraftError` with code `file` where it is not there or cannot be started.
    static func become(_ verb: String, _ arguments: [String]) throws {
        try explain(on: Console(json: false)) {
            let path = try path(
                environment: ProcessInfo.processInfo.environment,
                beside: Bundle.main.executableURL?.resolvingSymlinksInPath())
            var words = ([path, verb] + arguments).map { strdup($0) } + [nil]
            defer { for word in words { free(word) } }
            execv(path, &words)
            throw FileFailure.error("\(path) cannot be started", number: errno)
        }
    }

    /// Where it is.
    static func path(environment: [String: String], beside graft: URL?) throws(GraftError) -> String {
        if let path = environment[variable], !path.isEmpty {
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw GraftError(.file, "\(variable) is \(path), where no program is that can be run")
            }
            return path
        }
        let path = graft?.deletingLastPathComponent().appending(path: name).path ?? name
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw GraftError(
                .file,
                "\(path) is not there: serve and studio are a program of their own, which make serve builds in Graft's "
                    + "folder; \(variable) names it where it lies elsewhere")
        }
        return path
    }
}
