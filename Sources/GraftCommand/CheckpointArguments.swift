import ArgumentParser
import Foundation
import Graft

/// How `train` and `distill` keep a run so that it can go on after whatever ended it.
struct CheckpointArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Go on with a run that was stopped or killed. All other options are those it was begun with; IMAGES says where "
                + "the photos are now, if they were moved.", valueName: "file.checkpoint"),
        completion: .file(extensions: ["checkpoint"]))
    var resume: String?

    @Option(
        help: ArgumentHelp(
            "When the run is kept, beside the model as MODEL.checkpoint: after so much time, such as 90s or 5m, after so "
                + "many steps, such as 100-steps, after each 'epoch', or only when you stop it: 'stop'. (default: 60s)",
            valueName: "interval"))
    var checkpointEvery: CheckpointInterval?

    @Flag(help: "Keep the checkpoint after a complete run.")
    var keepCheckpoint = false

    /// Where the run of a model is kept.
    static func path(beside model: String) -> String { String(model.dropLast(".keras".count)) + ".checkpoint" }
}

/// `--checkpoint-every`.
struct CheckpointInterval: ExpressibleByArgument, Equatable {
    static let standard = CheckpointInterval(interval: .seconds(60))

    let interval: Checkpointing.Interval

    private init(interval: Checkpointing.Interval) { self.interval = interval }

    init?(argument: String) {
        func number(before unit: String) -> Double? {
            guard argument.hasSuffix(unit), let number = Double(argument.dropLast(unit.count)) else { return nil }
            return number > 0 && number < 1e9 ? number : nil
        }
        if argument == "epoch" {
            interval = .epoch
        } else if argument == "stop" {
            interval = .never
        } else if let count = number(before: "-steps"), let count = Int(exactly: count) {
            interval = .steps(count)
        } else if let seconds = number(before: "s") {
            interval = .seconds(seconds)
        } else if let minutes = number(before: "m") {
            interval = .seconds(60 * minutes)
        } else {
            return nil
        }
    }

    /// The text that ``init(argument:)`` takes.
    var defaultValueDescription: String {
        switch interval.rule {
        case .never: "stop"
        case .epoch: "epoch"
        case .steps(let count): "\(count)-steps"
        case .seconds(let seconds): "\(seconds)s"
        }
    }
}

/// The checkpoints of one run of a verb, through all its phases.
struct RunCheckpoints {
    let file: CheckpointFile
    private let interval: Checkpointing.Interval
    private let isKept: Bool
    /// The command that began the run.
    private let command: KeptCommand

    /// - Parameters:
    ///   - command: the verb that runs.
    ///   - output: the model that it writes.
    ///   - resumed: what a run goes on from; `nil` for a new one.
    init<Verb: ResumableCommand>(
        _ command: Verb, output: String, _ arguments: CheckpointArguments, resumed: KeptRun?
    ) {
        file = resumed?.file ?? CheckpointFile(CheckpointArguments.path(beside: output))
        interval = (arguments.checkpointEvery ?? .standard).interval
        isKept = arguments.keepCheckpoint
        self.command = resumed?.command ?? KeptCommand(command)
    }

    /// Which run it is, as its models say too.
    var run: String { command.run }

    /// `train` or `distill`.
    private var verb: String { command.verb }

    /// Sees to it that a new run does not replace what another can go on from.
    func begin(on console: Console) {
        guard let path = file.setAside() else { return }
        console.say(
            "\(file.path), of a run that did not come to its end, is now \(path); graft \(verb) --resume \(path) goes on "
                + "with that run")
    }

    /// The checkpoints of a phase.
    ///
    /// - Parameters:
    ///   - position: the phase's number, 0 for the first.
    ///   - histories: those of the phases before.
    ///   - base: which file the base is, where it is one.
    func checkpointing(
        phase position: Int, of count: Int, _ histories: [History], resumes: Bool,
        base: (key: String, value: Configuration)? = nil
    ) -> Checkpointing {
        let isLast = position == count - 1
        var result = Checkpointing(
            storage: file, every: interval, resumes: resumes, keepsFile: isLast && isKept)
        result.isShared = true
        var notes: [String: Configuration] = [
            "command": command.configuration, "phase": .int(position),
            "histories": .array(histories.map(\.configuration)),
        ]
        if let base { notes[base.key] = base.value }
        result.notes = .object(notes)
        return result
    }

    /// Tells where a run that was stopped can go on; nothing where it had not begun to train.
    func tellStopped(on console: Console) {
        guard FileManager.default.fileExists(atPath: file.path) else { return }
        console.say("the run is kept in \(file.path); graft \(verb) --resume \(file.path) goes on with it")
    }

    /// Sees to it that a model which cannot be written at its place is not lost: the run's checkpoint stays, and where a run
    /// was too short for one, the model is written into the folder for temporary files.
    func rescue(_ model: Model, on console: Console) {
        guard !FileManager.default.fileExists(atPath: file.path) else { return tellStopped(on: console) }
        let name = URL(filePath: file.path).deletingPathExtension().lastPathComponent
        let path = FileManager.default.temporaryDirectory.appending(path: "\(name)-\(getpid()).keras").path
        do {
            try model.save(path)
            console.say("the model is in \(path) instead; move it before that folder is tidied up")
        } catch {
            console.warn("the model could not be written into the folder for temporary files either: \(error)")
        }
    }

    /// Ends a run whose model is written. What another run left that was begun with the same options goes too: all that it
    /// could come to is there now.
    func end(on console: Console) {
        let other = CheckpointFile(file.asidePath)
        if other.path != file.path, let left = try? other.values(),
            left["notes"]?["command"] == command.configuration
        {
            other.remove()
            console.say("removed \(other.path), of the same run before it was begun anew")
        }
        if !isKept { file.remove() }
    }
}
