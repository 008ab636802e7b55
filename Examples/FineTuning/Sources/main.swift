import Foundation
import Graft

// FineTuning PHOTOS WEIGHTS [EPOCHS]: first the head on the frozen base, then the base from `mixed5` upwards, gently,
// for so many epochs each (5). PHOTOS holds train/ and validation/, each with one folder a class.
let arguments = CommandLine.arguments
guard (3...4).contains(arguments.count), let epochs = arguments.count == 4 ? Int(arguments[3]) : 5 else {
    print("usage: FineTuning PHOTOS WEIGHTS [EPOCHS]")
    exit(64)
}

/// Says after each epoch how it went.
let progress = EventHandler { event in
    guard case .epoch(let report) = event else { return }
    let figures = ["loss", "accuracy", "val_loss", "val_accuracy"].compactMap { name in
        report.figures[name].map { "\(name) \(String(format: "%.4f", $0))" }
    }
    print("epoch \(report.epoch)  \(figures.joined(separator: "  "))")
}

@MainActor func fineTune() throws {
    let photos = try ImageFolder(at: arguments[1], rule: ImageRule(height: 150, width: 150))
    let base = try InceptionV3(weights: .file(arguments[2]), includeTop: false, inputShape: [150, 150, 3])
    base.freeze()
    let features = try GlobalAveragePooling2D()(base.layer(named: "mixed7").output)
    let model = try Model(inputs: base.input, outputs: Dense(1, activation: .sigmoid)(Dropout(0.2)(features)))
    model.metadata = ModelMetadata(classNames: photos.classNames, inputRule: photos.training.inputRule)

    // MODEL.history.csv and MODEL.history.svg beside the model.
    let recorder = HistoryRecorder(beside: "fine-tuned.keras")

    // The head: what the base puts out is computed once for each picture.
    print("the head on the frozen base")
    recorder.begin("head")
    try model.compile(optimizer: RMSprop(learningRate: 1e-3), loss: .binaryCrossentropy, metrics: [.accuracy])
    try model.fit(
        photos.training, batchSize: 20, epochs: epochs, validation: photos.validation, callbacks: [progress, recorder])

    // The base from mixed5 on, with a hundredth of the learning rate. What lies before stays frozen and is still
    // computed once; normalizations keep the statistics that came with the weights.
    print("the base from mixed5 as well")
    try base.unfreeze(from: "mixed5")
    recorder.begin("fine-tuning", event: "unfrozen from mixed5")
    try model.compile(optimizer: RMSprop(learningRate: 1e-5), loss: .binaryCrossentropy, metrics: [.accuracy])
    try model.fit(
        photos.training, batchSize: 20, epochs: epochs, validation: photos.validation, callbacks: [progress, recorder])

    try model.save("fine-tuned.keras")
    print(CurveVerdict(of: recorder.curve))
}

do {
    try fineTune()
} catch {
    print(error)
    exit(1)
}
