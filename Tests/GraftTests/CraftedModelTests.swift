import Foundation
import Graft
import Testing

/// Models in files whose `graft.json` does not fit their layers.
@Suite struct CraftedModelTests {
    private let leaves: DrawnLeaves

    init() throws { leaves = try DrawnLeaves(train: 1, validation: 2) }

    private func file(_ rule: ImageRule) throws -> String {
        let model = try DrawnLeaves.model(outputs: 5, activation: .softmax)
        model.metadata.setInputRule(.image(rule))
        let path = leaves.path("crafted.keras")
        try model.save(path)
        return path
    }

    /// Eight images of this rule would take 25 GB.
    @Test(arguments: [
        ImageRule(height: 16_384, width: 16_384), ImageRule(height: 8, width: 9),
        ImageRule(height: 8, width: 8, channels: 1),
        ImageRule(height: 0, width: 8), ImageRule(height: -8, width: -8), ImageRule(height: .max, width: .max),
    ])
    func aRuleThatDoesNotFitTheInputIsRefused(rule: ImageRule) throws {
        let path = try file(rule)
        let error = #expect(throws: GraftError.self) { try Classifier(contentsOf: path) }
        #expect(
            error?.description
                == "\(path): its image rule makes images of the shape \(rule.shape), and the model takes (8, 8, 3); the file "
                + "is damaged or hostile, save the model again")
    }

    /// The same with a dataset that takes its rule from the model.
    @Test func imagesOfARuleThatDoesNotFitAreRefusedBeforeTheyAreDecoded() throws {
        let model = try Model.load(file(ImageRule(height: 16_384, width: 16_384)))
        guard case .image(let rule)? = try model.metadata.inputRule else { throw GraftError(.state, "no rule") }
        let images = try ImageFiles(paths: leaves.images, rule: rule)
        let error = #expect(throws: GraftError.self) { try model.predict(images) }
        #expect(
            error?.message
                == "the images are brought to the shape (16384, 16384, 3); the model takes (8, 8, 3), give them "
                + "that rule")
    }
}
