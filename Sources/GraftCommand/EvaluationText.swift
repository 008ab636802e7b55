import Foundation
import Graft

/// What `evaluate` found, for people and for programs.
struct EvaluationText {
    private let figures: [String: Double]
    private let classes: [ClassMetrics]
    private let confusion: ConfusionMatrix?
    private let exampleCount: Int
    private let failures: [ExampleFailure]
    /// What views changed, where answers are means over them.
    private var views: (chosen: TestTimeViews, result: ViewEvaluation)?

    /// What an example is.
    private var noun = "image"

    init(_ evaluation: Evaluation, noun: String = "image") {
        self.noun = noun
        (figures, classes, confusion) = (evaluation.figures, evaluation.classes, evaluation.confusion)
        (exampleCount, failures) = (evaluation.exampleCount, evaluation.failures)
    }

    init(_ evaluation: ViewEvaluation, _ chosen: TestTimeViews) {
        (figures, classes, confusion) = (evaluation.figures, evaluation.classes, evaluation.confusion)
        (exampleCount, failures) = (evaluation.exampleCount, evaluation.failures)
        views = (chosen, evaluation)
    }

    func show(on console: Console) {
        console.list(failures.map(\.description), title: "left out, as they cannot be read")
        if let views { tell(views.result, views.chosen, on: console) }
        console.say("\(exampleCount.of(noun))  \(ProgressReporter.figures(figures))")
        let confusions = ConfusionText(confusion, names: classes.map(\.name), noun: noun)
        let shown = showClasses(confusions, on: console)
        for line in confusions.lines { console.say("  \(line)") }
        var object = JSONObject(event: "evaluation")
        object.add(figures: figures)
        if let views { add(views.result, views.chosen, to: &object) }
        object.add("classes", .object(shown))
        object.add("\(noun)s", .int(exampleCount))
        object.add("left_out", .strings(failures.map(\.path)))
        console.emit(object)
    }

    /// Says each class's figures.
    private func showClasses(_ confusions: ConfusionText, on console: Console) -> JSONObject {
        let width = classes.map(\.name.count).max() ?? 0
        var object = JSONObject()
        for figures in classes {
            let padded = figures.name.padding(toLength: width, withPad: " ", startingAt: 0)
            let shown = [("recall", figures.recall), ("precision", figures.precision), ("F1", figures.f1)].map {
                "\($0) \($1?.fixed(4) ?? "-")"
            }
            console.say("  \(padded)  \(figures.count.of(noun))  \(shown.joined(separator: "  "))")
            var entry = JSONObject()
            entry.add("count", .int(figures.count))
            entry.add("recall", figures.recall.map { .number($0) } ?? .null)
            entry.add("precision", figures.precision.map { .number($0) } ?? .null)
            entry.add("f1", figures.f1.map { .number($0) } ?? .null)
            entry.add("taken_for", .object(confusions.object(of: figures.name)))
            object.add(figures.name, .object(entry))
        }
        return object
    }

    private func tell(_ result: ViewEvaluation, _ chosen: TestTimeViews, on console: Console) {
        console.say("the images alone  \(ProgressReporter.figures(result.plainFigures))")
        console.say(
            "the mean over each image and \(chosen.count.of("view")) (\(chosen.augmentation)) turned "
                + "\(result.turnedRight.of("answer")) right and \(result.turnedWrong) wrong")
    }

    private func add(_ result: ViewEvaluation, _ chosen: TestTimeViews, to object: inout JSONObject) {
        object.add("views", .int(chosen.count))
        object.add("recipe", .string(chosen.augmentation.description))
        object.add(figures: result.plainFigures, prefix: "image_")
        object.add("turned_right", .int(result.turnedRight))
        object.add("turned_wrong", .int(result.turnedWrong))
    }
}
