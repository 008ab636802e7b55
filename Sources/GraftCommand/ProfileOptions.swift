import ArgumentParser
import Foundation
import Graft

/// `--profile`: where the time of a run went.
struct ProfileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Print where the time went, by operation and by layer, as a share of what the machine can do, and write a "
                + "trace that Perfetto opens (https://ui.perfetto.dev).",
            valueName: "trace.json"))
    var profile: String?

    func validate() throws {
        if let profile {
            try require(profile.hasSuffix(".json"), "--profile", "'\(profile)'", "a name that ends in .json")
        }
    }

    /// Does a verb's work with what follows it, `nil` where nobody asked; then prints the table and writes the trace.
    ///
    /// Both come also where the work fails: that may be what somebody wants to look into.
    func follow(_ machine: MachineOptions, on console: Console, _ work: (Profiler?) throws -> Void) throws {
        guard let profile else { return try work(nil) }
        try OutputFile.check(profile, option: "--profile")
        // Work that goes on from a checkpoint may change the folder.
        let path = URL(filePath: profile).standardizedFileURL.path
        let profiler = Profiler()
        let result = Result { try profiler.measure("graft", category: "command") { try work(profiler) } }
        try profiler.writeTrace(to: path)
        let limits = try MachineLimits.measured(threads: machine.threads)
        console.say(lines: profiler.report(limits: limits).description)
        console.say("trace in \(profile)")
        try result.get()
    }
}
