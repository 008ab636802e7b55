import ArgumentParser
import Foundation
import Graft

/// What a checkpoint says of the run of a verb that it keeps.
struct KeptRun {
    let file: CheckpointFile
    /// All values of the checkpoint.
    let values: Configuration
    /// The words that the run was begun with, as they are kept, for the next checkpoint.
    let command: Configuration
    /// The words that the run was begun with, without the program's and the verb's name.
    let words: [String]

    /// - Parameters:
    ///   - path: the checkpoint.
    ///   - verb: whose run it must be.
    /// - Throws: `GraftError` where there is no checkpoint, where it is damaged as is the one before it, or where it is that
    ///   of another verb.
    init(_ path: String, verb: String) throws(GraftError) {
        file = CheckpointFile(Self.absolute(path))
        guard let values = try file.values() else {
            throw GraftError(
                .file,
                "--resume: there is no file \(path); a run keeps itself beside its model, as MODEL.checkpoint, once it "
                    + "trains")
        }
        let command = values["notes"]?["command"]
        guard let command, let words = command["arguments"]?.elements?.compactMap(\.text),
            // The first checkpoints name no verb: they are train's.
            (command["verb"]?.text ?? "train") == verb
        else {
            throw GraftError(.format, "--resume: \(path) is the checkpoint of another program than graft \(verb)")
        }
        (self.values, self.command, self.words) = (values, command, words)
    }

    /// The options that the run was begun with.
    func options<Verb: ParsableCommand>(of verb: Verb.Type) throws(GraftError) -> Verb {
        do {
            return try Verb.parse(words)
        } catch {
            throw GraftError(
                .format,
                "--resume: this graft does not know the options of \(file.path): \(words.joined(separator: " "))")
        }
    }

    /// Goes to where the run was begun: its paths are as seen from there.
    func enterFolder() {
        if let folder = command["folder"]?.text { _ = FileManager.default.changeCurrentDirectoryPath(folder) }
    }

    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

/// A run of `train` that goes on: what its checkpoint says of it.
struct ResumedRun {
    let kept: KeptRun
    /// The options that the run was begun with.
    let options: Train
    /// The phase in which it goes on, 0 for the first.
    let phase: Int
    /// The histories of the phases before.
    let histories: [History]
    /// Which normalizations keep their statistics, and which layers hold constants: what came with the weights.
    let marks: LayerMarks
    /// What its convolutions were begun in.
    let precision: PrecisionOption?

    /// - Parameters:
    ///   - path: the checkpoint.
    ///   - images: where the photos are now; `nil` where they were.
    ///   - own: what this command says of checkpoints.
    ///   - arguments: the words of this command, without the program's and the verb's name.
    /// - Throws: `GraftError` where there is no checkpoint, where it is damaged as is the one before it, or where an
    ///   option differs from what the run was begun with.
    init(_ path: String, images: String?, own: CheckpointArguments, arguments: [String]) throws {
        let kept = try KeptRun(path, verb: "train")
        let notes = kept.values["notes"]
        guard let phase = notes?["phase"]?.integer, phase >= 0, let histories = notes?["histories"]?.elements else {
            throw GraftError(.format, "--resume: \(path) is the checkpoint of another program than graft train")
        }
        var options = try kept.options(of: Train.self)
        let begun = GivenOptions(kept.words, positional: [options.images].compactMap(\.self))
        try GivenOptions(arguments, positional: [images].compactMap(\.self)).check(against: begun)
        // The model keeps the name that it was begun under, wherever the images are now.
        options.output = options.modelPath
        options.images = images.map(KeptRun.absolute) ?? options.images
        options.checkpoints.goOn(with: own)
        (self.options, self.kept, self.phase) = (options, kept, phase)
        self.histories = try histories.map { (history) throws(GraftError) in try History(configuration: history) }
        precision = kept.precision
        marks = kept.marks
        kept.enterFolder()
    }
}

extension KeptRun {
    /// What the run computes in, `float32` or `bfloat16`.
    var precision: PrecisionOption? { values["settings"]?["precision"]?.text.flatMap(PrecisionOption.init) }

    /// Which normalizations keep their statistics, and which layers hold constants: what came with the weights.
    var marks: LayerMarks {
        func names(_ key: String) -> [String] { (values["model"]?[key]?.elements ?? []).compactMap(\.text) }
        return LayerMarks(frozenStatistics: names("frozen_statistics"), fixed: names("fixed"))
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

    /// - Parameter positional: the arguments that are no options; they may stand behind a flag.
    init(_ words: [String], positional: [String]) {
        var (values, name) = ([String: String](), String?.none)
        for word in words {
            if word.hasPrefix("-"), Double(word) == nil {
                let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
                name = Self.aliases[parts[0]] ?? parts[0]
                values[name ?? word] = parts.count > 1 ? parts[1] : ""
                if parts.count > 1 { name = nil }
            } else if let option = name {
                if !positional.contains(word) { values[option] = word }
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
