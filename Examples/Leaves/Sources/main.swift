import Foundation
import Graft

// Leaves [FOLDER]: draws leaves into a folder, trains a classifier on them, and asks it as a server would. Nothing is
// downloaded.
let folder = CommandLine.arguments.dropFirst().first ?? "leaves"

/// Trains on a folder of images, one folder a class, and writes one file that holds all.
func train() throws {
    try DrawnImages.named("leaves").write(to: folder)

    let classifier = try Classifier.train(on: folder)
    try classifier.save("leaves.keras")
}

/// Says what an image in a file shows.
func ask(about image: String) throws {
    let classifier = try Classifier(contentsOf: "leaves.keras")
    let answer = try classifier.classify(contentsOf: image)
    print(answer.best?.name ?? "nothing", answer["oak"] ?? 0)
}

/// What a request for an answer holds, and what becomes of it: one classifier for all of them, from any number of threads.
func serve(_ body: [UInt8], _ classifier: Classifier) -> String {
    do {
        let answer = try classifier.classify(body)
        return answer.classes.prefix(2).map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    } catch let error as GraftError where error.code == .image {
        return "400: \(error)"
    } catch {
        return "500: \(error)"
    }
}

/// Trains the base too, and looks at what was measured.
func fineTune() throws {
    var recipe = TrainingRecipe(base: .pocket, head: [.standardize, .dropout(0.2)])
    recipe.epochs = 20
    recipe.fineTuning = FineTuning(.whole, epochs: 2)

    let images = try ImageFolder(at: folder, rule: recipe.rule)
    let training = try ClassifierTraining(on: images, recipe)
    let classifier = try training.run(callbacks: [EarlyStopping(patience: 3, restoreBestWeights: true)])
    print(training.outcome.last("val_accuracy") ?? 0, training.outcome.verdict)
    try classifier.save("fine-tuned.keras")
}

do {
    try train()
    try ask(about: "\(folder)/validation/oak/1.png")

    let classifier = try Classifier(contentsOf: "leaves.keras")
    let body = try [UInt8](Data(contentsOf: URL(filePath: "\(folder)/validation/maple/1.png")))
    await withTaskGroup(of: String.self) { group in
        for body in [body, Array(body.prefix(100)), body] { group.addTask { serve(body, classifier) } }
        for await answer in group { print(answer) }
    }
    try fineTune()
} catch {
    print(error)
    exit(1)
}
