import Foundation
import Graft

/// What `graft search` says, and what it writes.
final class SearchReport {
    /// Where the model is written.
    private let model: String
    private let images: String
    private let console: Console
    private let start = ContinuousClock.now
    /// The wall time that there is; `nil` for no limit.
    private let limit: Double?
    /// How many candidates were judged on every fold.
    private var judgedCount = 0
    /// Whether there are images that take no part in the search.
    private var holdsBack = false

    init(model: String, images: String, seconds: Double?, console: Console) {
        (self.model, self.images, self.console) = (model, images, console)
        limit = seconds
    }

    func tell(_ images: LabelledImages, bases: [TrainingRecipe]) {
        holdsBack = [images.validation, images.test].contains { ($0?.count ?? 0) > 0 }
        let report = PhotoReport(images)
        for line in report.lines { console.say(line) }
        for warning in report.warnings { console.warn(warning) }
        console.list(images.problems.map(\.description), title: "left out")
        console.say("bases: \(bases.map(\.base.id).joined(separator: ", "))")
    }

    func tell(_ event: SearchEvent) throws {
        switch event {
        case .began(let images, let folds):
            console.say("judged on \(images.of("image")) in \(folds.of("fold"))")
            emit("began", ("images", .int(images)), ("folds", .int(folds)))
        case .base(let id):
            console.say("\(clock)  \(id)")
            emit("base", ("base", .string(id)))
        case .skipped(let base, let reason):
            console.warn("\(base) is left out: \(reason)")
            emit("skipped", ("base", .string(base)), ("reason", .string(reason)))
        case .features(let base, let progress): console.progress(ProgressLine(base, progress))
        case .judged(let trial): tellJudged(trial)
        case .better(let trial): tellBetter(trial)
        case .model(let classifier, let trial):
            try classifier.save(model)
            console.say("\(clock)  wrote \(model) so far: \(trial.candidate)")
            emit("model", ("model", .string(model)), ("candidate", .string(trial.candidate.description)))
        case .finishing(let trial):
            console.say("\(clock)  \(judgedCount.of("candidate")) judged; training the best on all images")
            emit("finishing", ("candidate", .string(trial.candidate.description)))
        }
    }

    private var secondsLeft: Double? { limit.map { max($0 - start.secondsAgo, 0) } }

    /// How long it has been and will be.
    private var clock: String {
        start.secondsAgo.asDuration + (secondsLeft.map { ", \($0.asTimeLeft) left" } ?? "")
    }

    private func tellJudged(_ trial: SearchTrial) {
        if trial.isComplete { judgedCount += 1 }
        console.progress("\(clock)  \(judgedCount.of("candidate"))  \(trial.candidate)  \(trial.accuracy.fixed(4))")
        emit("trial", trial)
    }

    private func tellBetter(_ trial: SearchTrial) {
        console.say("\(clock)  \(Self.figures(trial))  \(trial.candidate)")
        emit("better", trial)
    }

    private func emit(_ name: String, _ trial: SearchTrial) {
        let features = trial.candidate.features
        emit(
            name, ("candidate", .string(trial.candidate.description)), ("kind", .string(trial.candidate.kind)),
            ("base", .string(features.base)), ("cuts", .strings(features.cuts)),
            ("pooling", features.pooling.map { .string($0.rawValue) } ?? .null),
            ("scaling", .string(features.scaling.rawValue)), ("accuracy", .number(trial.accuracy)),
            ("interval", .numbers([trial.interval.lowerBound, trial.interval.upperBound])),
            ("images", .int(trial.imageCount)), ("complete", .bool(trial.isComplete)))
    }

    private func emit(_ name: String, _ members: (String, JSONObject.Value)...) {
        var object = JSONObject(event: name)
        object.add("seconds", .number(start.secondsAgo))
        if let secondsLeft { object.add("seconds_left", .number(secondsLeft)) }
        for (name, value) in members { object.add(name, value) }
        console.emit(object)
    }

    /// `0.9821 (0.9737 to 0.9879)`.
    private static func figures(_ trial: SearchTrial) -> String {
        guard trial.imageCount > 0 else { return "not judged" }
        return
            "\(trial.accuracy.fixed(4)) (\(trial.interval.lowerBound.fixed(4)) to \(trial.interval.upperBound.fixed(4)))"
    }

    // MARK: The end

    /// Writes the model and its chart, and says what was found.
    func finish(_ result: SearchResult) throws {
        try result.classifier.save(model)
        let chart = model.dropLast(".keras".count) + ".search.svg"
        try result.chart.svg.write(toFile: String(chart), atomically: true, encoding: .utf8)
        showFront(result)
        let command = result.recipe.command(images: images, output: model)
        console.say("\(Self.figures(result.trial))  \(result.trial.candidate)")
        tellWorth(result)
        if !result.usesAllImages {
            console.warn(
                "there was no time to train on more than \(result.imageCount.of("image")); the command below does")
        }
        console.say("wrote \(model) and \(chart), \(start.secondsAgo.asDuration) in all; the same again:")
        console.say("  \(command)")
        emitDone(result, command, chart: String(chart))
    }

    /// What to expect of the model: never the accuracy that it was chosen by.
    private func tellWorth(_ result: SearchResult) {
        let count = result.trials.count.of("candidate")
        if let accuracy = result.accuracyOfChoosing, let optimism = result.optimism {
            console.say(
                "chosen among \(count): to expect \(accuracy.fixed(4)), as choosing by the other folds names right; the best "
                    + "alone promises \(optimism.fixed(4)) more")
        } else {
            console.warn(
                "the time was over before a head was judged on every fold: nothing says what the model is worth")
        }
        if let heldBack = result.heldBack {
            console.say(
                "held back  \(ProgressReporter.figures(heldBack.figures))  \(heldBack.exampleCount.of("image"))")
        } else if holdsBack {
            console.warn("no time was left for the images that are held back; graft evaluate \(model) asks about them")
        }
    }

    private func showFront(_ result: SearchResult) {
        console.say("accuracy     95 % interval     parameters  ms/image  candidate")
        for trial in result.paretoFront {
            let features = trial.candidate.features
            let parameters = result.parameterCounts[features].map { "\((Double($0) / 1e6).fixed(2)) million" } ?? "–"
            let milliseconds = result.secondsPerImage[features.base].map { (1000 * $0).fixed(1) } ?? "–"
            console.say(
                "\(Self.figures(trial))  \(parameters)  \(milliseconds)  \(trial.candidate)")
        }
    }

    private func emitDone(_ result: SearchResult, _ command: String, chart: String) {
        emit(
            "done", ("model", .string(model)), ("candidate", .string(result.trial.candidate.description)),
            ("accuracy", result.trial.imageCount > 0 ? .number(result.trial.accuracy) : .null),
            ("interval", .numbers([result.trial.interval.lowerBound, result.trial.interval.upperBound])),
            ("accuracy_of_choosing", result.accuracyOfChoosing.map { .number($0) } ?? .null),
            ("optimism", result.optimism.map { .number($0) } ?? .null),
            ("held_back_accuracy", result.heldBack?.figures["accuracy"].map { .number($0) } ?? .null),
            ("trials", .int(result.trials.count)), ("images", .int(result.imageCount)),
            ("uses_all_images", .bool(result.usesAllImages)), ("interrupted", .bool(result.isInterrupted)),
            ("chart", .string(chart)), ("command", .string(command)))
    }
}

extension SearchCandidate {
    /// What `--json` calls what learns.
    fileprivate var kind: String {
        switch method {
        case .ridge: "ridge"
        case .nearest: "nearest"
        case .network: fineTuning != nil ? "fine-tuning" : views != nil ? "views" : "head"
        }
    }
}
