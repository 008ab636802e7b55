import ArgumentParser
import Foundation
import Graft

/// `graft bases`
struct Bases: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the networks that Graft knows.",
        discussion: """
            Without an argument: those whose weights are on this machine, and one of each family. With a name: all about
            that network, where it is usually cut and its weight files. --json tells of every network.

            Top-1 is the share of ImageNet's validation images whose class the network names first, as
            keras.io/api/applications says.

            Examples:
              graft bases
              graft bases --all
              graft bases inception-v3
            """)

    @Argument(help: ArgumentHelp("A network, to be told all about it.", valueName: "name"))
    var name: String?

    @Flag(help: "List every network, with its images' size and its weights' licence.")
    var all = false

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if let name { try asUsage { () throws(GraftError) in _ = try Base.named(name) } }
    }

    func run() throws {
        let console = output.console
        try explain(on: console) {
            let cache = FileCache.standard()
            let named = try name.map { (name) throws(GraftError) in try Base.named(name) }
            let rows = (named.map { [$0] } ?? Base.all).map { BaseRow($0, in: cache) }
            if named != nil {
                for row in rows { row.describe(on: console) }
            } else {
                BaseTable(rows: all ? rows : BaseTable.usual(of: rows), isComplete: all).show(on: console)
            }
            for row in rows { row.emit(on: console) }
        }
    }
}

/// A base with what is on this machine of it.
struct BaseRow {
    let base: Base
    let files: [(file: PublishedFile, path: String?)]

    init(_ base: Base, in cache: FileCache) {
        self.base = base
        files = [base.weights, base.weightsWithTop].compactMap(\.self).map { ($0, cache.candidate(for: $0)) }
    }

    /// Whether it can be used without a download.
    var isHere: Bool { base.hasBuiltInWeights || files.contains { $0.path != nil } }

    /// Where its weights are, in a few words.
    var weights: String {
        if base.hasBuiltInWeights { return "part of Graft" }
        guard let notop = files.first else { return "a file of yours" }
        if notop.path != nil { return "here" }
        return isHere ? "here, with top" : "to download"
    }

    /// All about it, for people.
    func describe(on console: Console) {
        console.say("\(base.id)  \(base.title)")
        console.say("  images      \(base.defaultSize) × \(base.defaultSize), at least \(base.minimumSize)")
        console.say(
            "  parameters  \(base.parameterCount.grouped)"
                + (base.parameterCountWithTop.map { ", with top \($0.grouped)" } ?? ""))
        if let accuracy = base.topOneAccuracy {
            console.say("  top-1       \(accuracy.fixed(1)) % (keras.io/api/applications)")
        }
        console.say("  cuts        \(base.cuts.joined(separator: ", ")) (usual: \(base.defaultCut))")
        console.say("  pixels      \(base.preprocessing.formula)")
        if base.hasBuiltInWeights {
            console.say("  weights     part of Graft")
        } else if files.isEmpty {
            console.say("  weights     none published; --weights takes \(base.fileDescription)")
        }
        for (file, path) in files { console.say("  weights     \(file.name): \(path ?? "not on this machine")") }
        console.say("  licence     \(base.family.licenseDescription)")
    }

    /// One event of `--json`.
    func emit(on console: Console) {
        var object = JSONObject(event: "base")
        object.add("name", .string(base.id))
        object.add("title", .string(base.title))
        object.add("default_size", .int(base.defaultSize))
        object.add("minimum_size", .int(base.minimumSize))
        object.add("parameters", .int(base.parameterCount))
        object.add("parameters_with_top", base.parameterCountWithTop.map { .int($0) } ?? .null)
        object.add("cuts", .strings(base.cuts))
        object.add("default_cut", .string(base.defaultCut))
        var weights = JSONObject()
        for (file, path) in files { weights.add(file.name, path.map { .string($0) } ?? .null) }
        object.add("weights", .object(weights))
        object.add("built_in", .bool(base.hasBuiltInWeights))
        object.add("family", .string(base.family.name))
        object.add("top_1", base.topOneAccuracy.map { .number($0) } ?? .null)
        object.add("license", base.family.license.map { .string($0) } ?? .null)
        object.add("license_source", .string(base.family.licenseSource))
        console.emit(object)
    }
}

/// Bases in lines and columns.
struct BaseTable {
    let rows: [BaseRow]
    /// Whether all are shown, and all about each.
    let isComplete: Bool

    /// Those whose weights are on this machine, and the first of each family.
    static func usual(of rows: [BaseRow]) -> [BaseRow] {
        var families: Set<BaseFamily> = []
        return rows.filter { families.insert($0.base.family).inserted || $0.isHere }
    }

    func show(on console: Console) {
        let lines = [header] + rows.map(cells)
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        for line in lines {
            let padded = zip(line, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            console.say(padded.joined(separator: "  ").trimmingSuffix(where: { $0 == " " }))
        }
        if !isComplete {
            console.say(
                "`graft bases --all` lists all \(Base.all.count) networks; `graft bases NAME` tells all about one")
        }
    }

    private var header: [String] {
        let short = ["name", "parameters", "size", "images", "top-1", "weights"]
        return isComplete ? short + ["licence of the weights"] : short
    }

    private func cells(of row: BaseRow) -> [String] {
        let base = row.base
        let short = [
            base.id, "\((Double(base.parameterCount) / 1e6).fixed(1)) million",
            // Four bytes a parameter, without its top, as files have them.
            "\(Int((Double(base.parameterCount) * 4 / 1e6).rounded())) MB",
            isComplete ? "\(base.defaultSize), from \(base.minimumSize)" : "\(base.defaultSize)",
            base.topOneAccuracy.map { "\($0.fixed(1)) %" } ?? "–", row.weights,
        ]
        return isComplete ? short + [base.family.licenseDescription] : short
    }
}

extension StringProtocol {
    /// Without the characters at its end that the condition holds for.
    fileprivate func trimmingSuffix(where isDropped: (Character) -> Bool) -> String {
        var rest = self[...]
        while let last = rest.last, isDropped(last) { rest = rest.dropLast() }
        return String(rest)
    }
}
