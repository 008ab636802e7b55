import Foundation
import Graft

/// A run of a verb that a checkpoint keeps.
struct KeptRun {
    let file: CheckpointFile
    /// All values of the checkpoint.
    let values: Configuration
    /// The command that began the run.
    let command: KeptCommand

    /// - Parameters:
    ///   - path: the checkpoint.
    ///   - verb: whose run it must be.
    /// - Throws: `GraftError` where there is no checkpoint, where it is damaged as is the one before it, or where it is that
    ///   of another verb.
    init<Verb: ResumableCommand>(_ path: String, of verb: Verb.Type) throws(GraftError) {
        file = CheckpointFile(Self.absolute(path))
        guard let values = try file.values() else {
            throw GraftError(
                .file,
                "--resume: there is no file \(path); a run keeps itself beside its model, as MODEL.checkpoint, once it "
                    + "trains")
        }
        self.values = values
        command = try KeptCommand(values["notes"]?["command"], of: verb, path: path)
    }

    /// What the run computes in, `float32` or `bfloat16`.
    var precision: Precision? { values["settings"]?["precision"]?.text.flatMap(Precision.init) }

    /// Which normalizations keep their statistics, and which layers hold constants: what came with the weights.
    var marks: LayerFlags {
        func names(_ key: String) -> [String] { (values["model"]?[key]?.elements ?? []).compactMap(\.text) }
        return LayerFlags(frozenStatistics: names("frozen_statistics"), fixed: names("fixed"))
    }

    /// Goes to where the run was begun: its paths are as seen from there.
    func enterFolder() { _ = FileManager.default.changeCurrentDirectoryPath(command.folder) }

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

    /// - Parameters:
    ///   - path: the checkpoint.
    ///   - command: the command that goes on with the run.
    /// - Throws: `GraftError` where there is no checkpoint, where it is damaged as is the one before it, or where an
    ///   option differs from what the run was begun with.
    init(_ path: String, _ command: Train) throws {
        kept = try KeptRun(path, of: Train.self)
        let notes = kept.values["notes"]
        guard let phase = notes?["phase"]?.integer, phase >= 0, let histories = notes?["histories"]?.elements else {
            throw GraftError(.format, "--resume: \(path) is the checkpoint of another program than graft train")
        }
        // The model keeps the name that it was begun under, wherever the images are now.
        let usualOutput = Train.modelPath(for: kept.command.options["images"] ?? ".")
        var given = command
        if kept.command.options["--output"] == nil, command.output == usualOutput { given.output = nil }
        var options = try kept.command.resumed(by: given, path: path)
        options.output = options.output ?? usualOutput
        options.images = command.images.map(KeptRun.absolute) ?? options.images
        (self.options, self.phase) = (options, phase)
        self.histories = try histories.map { (history) throws(GraftError) in try History(configuration: history) }
        kept.enterFolder()
        let outputs = ResumedOutputs(run: kept.command.run)
        try outputs.check(options.modelPath, option: "--output", named: command.output)
        if let best = options.callbacks.saveBest {
            try outputs.check(best, option: "--save-best", named: command.callbacks.saveBest)
        }
    }
}
