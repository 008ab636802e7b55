import ArgumentParser
import Graft

/// `graft bases`
struct Bases: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the networks that Graft knows.",
        discussion: """
            For each: its size, where it is usually cut, its weight files and whether they are on this machine.

            Example:
              graft bases
            """)

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let console = output.console
        try explain(on: console) {
            let cache = FileCache.standard()
            for base in Base.all {
                let files = [base.weights, base.weightsWithTop].compactMap(\.self).map {
                    (file: $0, path: cache.candidate(for: $0))
                }
                describe(base, files, on: console)
                emit(base, files, on: console)
            }
        }
    }

    private func describe(_ base: Base, _ files: [(file: PublishedFile, path: String?)], on console: Console) {
        console.say("\(base.id)  \(base.title)")
        console.say("  images      \(base.defaultSize) × \(base.defaultSize), at least \(base.minimumSize)")
        console.say(
            "  parameters  \(base.parameterCount.grouped), with top \(base.parameterCountWithTop.grouped)")
        console.say("  cuts        \(base.cuts.joined(separator: ", ")) (usual: \(base.defaultCut))")
        if files.isEmpty { console.say("  weights     none published; --weights takes \(base.fileDescription)") }
        for (file, path) in files { console.say("  weights     \(file.name): \(path ?? "not on this machine")") }
    }

    private func emit(_ base: Base, _ files: [(file: PublishedFile, path: String?)], on console: Console) {
        var object = JSONObject(event: "base")
        object.add("name", .string(base.id))
        object.add("title", .string(base.title))
        object.add("default_size", .int(base.defaultSize))
        object.add("minimum_size", .int(base.minimumSize))
        object.add("parameters", .int(base.parameterCount))
        object.add("parameters_with_top", .int(base.parameterCountWithTop))
        object.add("cuts", .strings(base.cuts))
        object.add("default_cut", .string(base.defaultCut))
        var weights = JSONObject()
        for (file, path) in files { weights.add(file.name, path.map { .string($0) } ?? .null) }
        object.add("weights", .object(weights))
        console.emit(object)
    }
}
