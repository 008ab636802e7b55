import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Keras's augmentation layers in front of a frozen base: what is drawn anew in each step is never kept.
@Suite struct AugmentationLayerTests {
    private func model(_ front: [Layer], top: [Layer] = []) throws -> Sequential {
        let base = try Sequential([Conv2D(3, kernelSize: 3, activation: .relu), Flatten()], name: "base")
        let model = try Sequential(front + [base] + top + [Dense(1)], inputShape: [6, 6, 2])
        base.freeze()
        // A rate of 0: whatever changes from epoch to epoch is the examples.
        try model.compile(optimizer: SGD(learningRate: 0), loss: .meanSquaredError)
        return model
    }

    private func data() throws -> ArrayDataset {
        let pixels: [Float] = (0..<576).map { (index: Int) -> Float in Float((index * 37) % 101) / 50 - 1 }
        let targets: [Float] = [0, 1, 2, 3, 4, 5, 6, 7]
        return try ArrayDataset(
            inputs: Tensor(pixels, shape: [8, 6, 6, 2]), targets: Tensor(targets, shape: [8, 1]))
    }

    private func losses(_ model: Model) throws -> [Double] {
        try model.fit(data(), batchSize: 4, epochs: 3, shuffle: false, options: temporary)["loss"]
    }

    @Test func featuresOfAugmentedImagesAreNotKept() throws {
        let front: [Layer] = [
            Rescaling(0.5), RandomFlip(), RandomRotation(0.1), RandomZoom(0.2), RandomTranslation(0.1, 0.1),
            RandomContrast(0.3, valueRange: ImageFactor(-1, 1)), RandomBrightness(0.1, valueRange: ImageFactor(-1, 1)),
        ]
        let augmented = try model(front)
        #expect(try TrainedModel(augmented, mayKeepTrunk: true).keepsTrunk == false)
        let losses = try losses(augmented)
        #expect(Set(losses).count == 3, "each epoch draws anew: \(losses)")
        #expect(try self.losses(model(front)) == losses, "the same run draws the same again")
        // In inference mode the layers are not there.
        let evaluation = try augmented.evaluate(data(), batchSize: 4).loss
        let plain = try model([Rescaling(0.5)])
        try plain.setWeights(augmented.weights)
        #expect(try plain.evaluate(data(), batchSize: 4).loss == evaluation)
    }

    @Test func featuresAreKeptWhereAugmentationIsBehindThem() throws {
        let plain = try model(
            [Resizing(height: 5, width: 5), CenterCrop(height: 4, width: 4)], top: [GaussianDropout(0.5)])
        #expect(try TrainedModel(plain, mayKeepTrunk: true).keepsTrunk)
        #expect(try Set(losses(plain)).count == 3)
    }

    /// A convolution that trains in front of the augmentation gets its gradient through it.
    @Test func gradientsGoThroughAugmentation() throws {
        let convolution = Conv2D(2, kernelSize: 1)
        let model = try Sequential(
            [convolution, RandomRotation(0.2), RandomFlip(), Flatten(), Dense(1)], inputShape: [6, 6, 2])
        try model.compile(optimizer: SGD(learningRate: 0.1), loss: .meanSquaredError)
        let before = convolution.weights.map(\.scalars)
        try model.fit(data(), batchSize: 4, epochs: 1, options: temporary)
        #expect(convolution.weights.map(\.scalars) != before)
    }
}
