import Foundation
import Graft

// CatsAndDogs PHOTOS WEIGHTS: the tutorial's job. PHOTOS holds train/ and validation/, each with one folder a class.
guard CommandLine.arguments.count == 3 else {
    print("usage: CatsAndDogs PHOTOS WEIGHTS")
    exit(64)
}

func train() throws {
    let photos = try ImageFolder(at: CommandLine.arguments[1], rule: ImageRule(height: 150, width: 150))

    let base = try InceptionV3(
        weights: .file(CommandLine.arguments[2]), includeTop: false, inputShape: [150, 150, 3])
    base.freeze()

    let last = try base.layer(named: "mixed7").output
    let hidden = try Dropout(0.2)(Dense(1024, activation: .relu)(Flatten()(last)))
    let model = try Model(inputs: base.input, outputs: Dense(1, activation: .sigmoid)(hidden))

    try model.compile(optimizer: RMSprop(learningRate: 1e-4), loss: .binaryCrossentropy, metrics: [.accuracy])
    let history = try model.fit(photos.training, batchSize: 20, epochs: 5, validation: photos.validation)

    model.metadata = ModelMetadata(classNames: photos.classNames, inputRule: photos.training.inputRule)
    try model.save("cats-and-dogs.keras")
    print("validation accuracy, epoch by epoch:", history["val_accuracy"])
}

do {
    try train()
} catch {
    print(error)
    exit(1)
}
