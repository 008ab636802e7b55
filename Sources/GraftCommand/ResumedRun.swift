import ArgumentParser
import Foundation
import Graft

/// A run of `train` that goes on: what its checkpoint says of it.
struct ResumedRun {
    let file: CheckpointFile
    /// The options that the run was begun with.
    let options: Train
    /// The words that say so, for the next checkpoint.
    let command: Configuration
    /// The phase in which it goes on, 0 for the first.
    let phase: Int
    /// The histories of the phases before.
    let histories: [History]
    /// Which normalizations keep their statistics, and which layers hold constants: what came with the weights.
    let marks: LayerMarks

    /// - Parameters:
    ///   - path: the checkpoint.
    ///   - images: where the photos are now; `nil` where they were.
    ///   - own: what this command says of checkpoints.
    ///   - arguments: the words of this command, without the program's and the verb's name.
    /// - Throws: `GraftError` where there is no checkpoint, where it is damaged as is the one before it, or where an
    ///   option differs from what the run was begun with.
    init(_ path: String, images: String?, own: CheckpointArguments, arguments: [String]) throws {
        let file = CheckpointFile(Self.absolute(path))
        guard let values = try file.values() else {
            throw GraftError(
                .file,
                "--resume: there is no file \(path); a run keeps itself beside its model, as MODEL.checkpoint, once it "
                    + "trains")
        }
        let notes = values["notes"]
        guard let command = notes?["command"], let words = command["arguments"]?.elements?.compactMap(\.text),
            let phase = notes?["phase"]?.integer, phase >= 0, let histories = notes?["histories"]?.elements
        else {
            throw GraftError(.format, "--resume: \(path) is the checkpoint of another program than graft train")
        }
        var options: Train
        do {
            options = try Train.parse(words)
        } catch {
            throw GraftError(
                .format, "--resume: this graft does not know the options of \(path): \(words.joined(separator: " "))")
        }
        try GivenOptions(arguments, images: images).check(against: GivenOptions(words, images: options.images))
        options.images = images.map(Self.absolute) ?? options.images
        options.checkpoints.checkpointEvery = own.checkpointEvery ?? options.checkpoints.checkpointEvery
        options.checkpoints.keepCheckpoint = own.keepCheckpoint || options.checkpoints.keepCheckpoint
        self.options = options
        (self.file, self.command, self.phase) = (file, command, phase)
        self.histories = try histories.map { (history) throws(GraftError) in try History(configuration: history) }
        func names(_ key: String) -> [String] { (values["model"]?[key]?.elements ?? []).compactMap(\.text) }
        precision = values["settings"]?["precision"]?.text.flatMap(PrecisionOption.init)
        marks = LayerMarks(frozenStatistics: names("frozen_statistics"), fixed: names("fixed"))
        // The run's paths are as seen from where it was begun.
        if let folder = command["folder"]?.text { _ = FileManager.default.changeCurrentDirectoryPath(folder) }
    }

    /// What its convolutions were begun in.
    let precision: PrecisionOption?

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

/// The options in the words of a command, as they are written.
struct GivenOptions: Equatable {
    /// Each option with what stands behind it.
    let values: [String: String]

    /// What may be said anew when a run goes on.
    private static let free: Set<String> = [
        "--resume", "--json", "--checkpoint-every", "--keep-checkpoint", "--profile",
    ]
    private static let aliases = ["-o": "--output"]

    /// - Parameter images: the argument that is no option; it may stand behind a flag.
    init(_ words: [String], images: String?) {
        var (values, name) = ([String: String](), String?.none)
        for word in words {
            if word.hasPrefix("-"), Double(word) == nil {
                let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
                name = Self.aliases[parts[0]] ?? parts[0]
                values[name ?? word] = parts.count > 1 ? parts[1] : ""
                if parts.count > 1 { name = nil }
            } else if let option = name {
                if word != images { values[option] = word }
                name = nil
            }
        }
        self.values = values
    }

    /// - Throws: `GraftError` with code `argument` for an option that the run was not begun with.
    func check(against begun: GivenOptions) throws(GraftError) {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where !Self.free.contains(name) {
            guard begun.values[name] != value else { continue }
            let before = begun.values[name].map { "with \(name) \($0)" } ?? "without \(name)"
            throw GraftError(
                .argument,
                "\(name): the run was begun \(before) and goes on so; leave the option out, or train anew without --resume"
            )
        }
    }
}
