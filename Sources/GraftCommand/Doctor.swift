import ArgumentParser
import Graft

/// `graft doctor`
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what this machine has and lacks for Graft.",
        discussion: """
            The processor and its units, cores, memory, the libraries in use, the Swift compiler, the cache, and the \
            published weights that are here. What is lacking comes with the command that mends it. Nothing is connected to \
            unless --online is given. Exits with 1 where something is missing that Graft needs.

            Example:
              graft doctor
            """)

    @Flag(help: "Also ask the server of the published weights whether it answers.")
    var online = false

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let console = output.console
        try explain(on: console) {
            let findings = DoctorFacts.gathered(online: online).findings
            for finding in findings {
                for line in finding.lines { console.say(line) }
                console.emit(finding.object)
            }
            let missing = findings.filter { $0.state == .missing }.map(\.subject)
            console.say("")
            console.say(Self.verdict(missing))
            console.emit(Self.summary(findings))
            if !missing.isEmpty { throw ExitCode(1) }
        }
    }

    static func verdict(_ missing: [String]) -> String {
        missing.isEmpty
            ? "Nothing that Graft needs is missing." : "Graft needs attention to: \(missing.joined(separator: ", "))."
    }

    static func summary(_ findings: [DoctorFinding]) -> JSONObject {
        var object = JSONObject(event: "doctor")
        object.add("version", .string(GraftCommand.configuration.version))
        for state in [DoctorFinding.State.missing, .lacking] {
            object.add(state.rawValue, .strings(findings.filter { $0.state == state }.map(\.subject)))
        }
        return object
    }
}
