import Foundation
import Graft
import Testing

/// A folder of a few drawn leaves in five classes, and a small classifier of them that learned nothing. The folder goes with
/// the object.
final class DrawnLeaves: Sendable {
    let url: URL

    init(train: Int = 4, validation: Int = 2) throws {
        url = FileManager.default.temporaryDirectory.appending(path: "graft-\(UUID().uuidString)")
        try DrawnImages.named("leaves").write(
            to: folder, DrawnImages.Options(train: train, validation: validation, size: 32))
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The folder of images.
    var folder: String { path("leaves") }

    func path(_ name: String) -> String { url.appending(path: name).path }

    /// The images to validate on, in order.
    var images: [String] {
        get throws { try ImageFiles(below: path("leaves/validation"), rule: ImageRule(height: 8, width: 8)).paths }
    }

    func bytes(of image: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(filePath: image))) }

    /// A model of 8 × 8 images with so many outputs, its weights random.
    static func model(outputs: Int, activation: ActivationFunction) throws -> Model {
        let image = Input(shape: [8, 8, 3])
        let features = try Flatten()(Rescaling(1 / 255)(image))
        return try Model(
            inputs: image, outputs: Dense(outputs, activation: activation, name: "classes")(features), seed: 3)
    }

    /// How a classifier is trained in seconds: random weights, cut early.
    static var recipe: TrainingRecipe {
        var recipe = TrainingRecipe(base: .inceptionV3, head: [.averagePool])
        (recipe.weights, recipe.inputSize, recipe.cut, recipe.learningRate) = (.none, 75, "mixed0", 0.01)
        (recipe.epochs, recipe.batchSize) = (2, 8)
        return recipe
    }

    /// Two threads, and features that go with the run.
    static var options: TrainingOptions { TrainingOptions(features: .temporary, threads: 2) }
}
