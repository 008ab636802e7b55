import Foundation
import Graft
import Testing

@Suite struct AugmentedTrainingTests {
    private let leaves: DrawnLeaves

    init() throws { leaves = try DrawnLeaves() }

    private func training(
        epochs: Int = 12, views: Int? = nil, options: TrainingOptions = DrawnLeaves.options
    ) throws -> ClassifierTraining {
        var recipe = DrawnLeaves.recipe
        (recipe.augmentation, recipe.views, recipe.epochs) = (try Augmentation("flip,rotate:20"), views, epochs)
        recipe.fineTuning = FineTuning(.from(layer: "conv2d_3"), epochs: 3)
        return try ClassifierTraining(
            on: ImageFolder(at: leaves.folder, rule: recipe.rule), recipe, options: options)
    }

    @Test func aFrozenBaseKeepsAFewViewsAndOneThatTrainsSeesNewOnes() throws {
        func counts(_ training: ClassifierTraining) throws -> [Int] {
            try training.phases.map { try training.views(of: $0).count }
        }
        #expect(try counts(training()) == [8, 3])
        // More than there are epochs would never be drawn.
        #expect(try counts(training(epochs: 5)) == [5, 3])
        #expect(try counts(training(views: 2)) == [2, 3])
        let kept = try training().phases.map { try training().views(of: $0).keepsFeatures }
        #expect(kept == [true, false])
        // Nothing is kept: no view costs more than another.
        var options = DrawnLeaves.options
        options.features = .off
        #expect(try counts(training(options: options)) == [12, 3])
    }

    @Test func asManyViewsAreTakenAsTheCacheHasRoomFor() throws {
        let plain = try training()
        // 256 numbers of four bytes; 20 training and 10 validation images.
        func count(rows: Int) throws -> Int {
            var options = DrawnLeaves.options
            options.features.byteLimit = rows * 1024
            let training = try training(options: options)
            return try training.views(of: training.phases[0]).count
        }
        #expect(plain.images.training.count == 20 && plain.images.validation?.count == 10)
        #expect(try count(rows: 70) == 3)
        #expect(try count(rows: 69) == 2)
        #expect(try count(rows: 1) == 1)
    }

    @Test func moreViewsThanTheCacheMayHoldAreRefusedBeforeAnythingIsComputed() throws {
        var options = DrawnLeaves.options
        options.features.byteLimit = 60 * 1024
        let training = try training(views: 5, options: options)
        var (needed, computed): (FeatureDemand?, Bool) = (nil, false)
        let watching = EventHandler { event in
            if case .featuresNeeded(let demand) = event { needed = demand }
            if case .features = event { computed = true }
        }
        let error = #expect(throws: GraftError.self) { try training.run(callbacks: [watching]) }
        #expect(error?.code == .argument)
        #expect(
            error?.message.contains("5 views may take 112.6 kB, and the cache may hold 61.4 kB; ask for 2 views")
                == true)
        #expect(needed?.missing == 110 && needed?.byteCount == 110 * 1024 && !computed)
    }

    @Test func eachEpochDrawsItsViewAndEachViewIsComputedOnce() throws {
        let training = try training(epochs: 5, views: 2)
        var (missing, done): (Int?, Int) = (nil, 0)
        let watching = EventHandler { event in
            if case .featuresNeeded(let demand) = event { missing = demand.missing }
            if case .features(let progress) = event { done = progress.done }
        }
        try training.run(training.phases[0], callbacks: [watching])
        #expect(missing == 2 * 20 + 10 && done == 50)
        // The same as `fit` on the views themselves, without a place for features.
        let recipe = training.recipe
        let model = try recipe.model(on: recipe.network(), classNames: training.images.classNames)
        try model.compile(
            optimizer: recipe.optimizer.optimizer(
                learningRate: .constant(recipe.learningRate), settings: OptimizerSettings()),
            loss: .classification(outputs: 5), metrics: [.accuracy])
        var options = DrawnLeaves.options
        options.features = .off
        let views = try AugmentedImages(
            training.images.training, try Augmentation("flip,rotate:20"), views: 2, seed: recipe.seed)
        let history = try model.fit(
            views, batchSize: recipe.batchSize, epochs: 5, validation: training.images.validation, seed: recipe.seed,
            options: options)
        let losses = training.outcome.histories[0]["loss"]
        #expect(losses.count == 5 && zip(losses, history["loss"]).allSatisfy { abs($0 - $1) < 1e-4 * $1 })
    }

    @Test func viewsAndPredictionsDoNotAliasUnlessItIsSaid() throws {
        var recipe = TrainingRecipe()
        #expect(recipe.resize == .keras)
        recipe.augmentation = .imageDataGenerator
        #expect(recipe.resize == .antialias && recipe.rule.resize == .antialias)
        recipe.resize = .nearest
        #expect(recipe.resize == .nearest)
    }

    @Test func viewsWithoutAnAugmentationAreAMistake() throws {
        var recipe = DrawnLeaves.recipe
        recipe.views = 4
        let images = try ImageFolder(at: leaves.folder, rule: recipe.rule)
        let error = #expect(throws: GraftError.self) { try ClassifierTraining(on: images, recipe) }
        #expect(error?.message.hasPrefix("views: there are none without an augmentation") == true)
        (recipe.augmentation, recipe.views) = (.imageDataGenerator, 0)
        let other = #expect(throws: GraftError.self) { try ClassifierTraining(on: images, recipe) }
        #expect(other?.message == "views: an image can have 1 to 1000000 of them, and not 0")
    }

    @Test(arguments: [(nil, 1.0), (0.4, nil), (0.4, 1.0)] as [(Double?, Double?)])
    func mixedImagesTrainOnMixedClasses(mixUp: Double?, cutMix: Double?) throws {
        var recipe = DrawnLeaves.recipe
        recipe.mixUp = try mixUp.map { try MixUp(alpha: $0) }
        recipe.cutMix = try cutMix.map { try CutMix(alpha: $0) }
        let images = try ImageFolder(at: leaves.folder, rule: recipe.rule)
        let training = try ClassifierTraining(on: images, recipe, options: DrawnLeaves.options)
        var keeps: Bool?
        let watching = EventHandler { if case .began(let outline) = $0 { keeps = outline.keepsFeatures } }
        let classifier = try training.run(callbacks: [watching])
        #expect(keeps == false)
        let losses = training.outcome.histories[0]
        #expect(losses["loss"].count == 2 && losses["val_accuracy"].allSatisfy { (0...1).contains($0) })
        // What it learned is measured on classes, not on mixtures.
        let measured = try classifier.evaluate(try #require(images.validation)).figures
        #expect(abs((measured["loss"] ?? 0) - (losses["val_loss"].last ?? 1)) < 1e-4)
        #expect(measured["accuracy"] == losses["val_accuracy"].last)
    }

    /// 4 images of one class and 1 of another: with weights an epoch has 5 examples, with sampling 8.
    @Test func classesAreBalancedByWeightsOrBySampling() throws {
        let url = leaves.url.appending(path: "few")
        for (name, count) in [("birch", 4), ("oak", 1)] {
            let folder = url.appending(path: name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for number in 1...count {
                try FileManager.default.copyItem(
                    at: URL(filePath: leaves.path("leaves/train/\(name)/\(number).png")),
                    to: folder.appending(path: "\(number).png"))
            }
        }
        var recipe = DrawnLeaves.recipe
        let images = try ImageFolder(at: url.path, rule: recipe.rule)
        func losses(_ balance: Balance) throws -> (losses: [Double], examples: Int, computed: Int) {
            recipe.balance = balance
            let training = try ClassifierTraining(on: images, recipe, options: DrawnLeaves.options)
            var (examples, computed) = (0, 0)
            let watching = EventHandler { event in
                if case .began(let outline) = event { examples = outline.examples }
                if case .features(let progress) = event { computed = progress.done }
            }
            _ = try training.run(callbacks: [watching])
            return (training.outcome.histories[0]["loss"], examples, computed)
        }
        let (plain, weights, sampling) = (try losses(.none), try losses(.weights), try losses(.sampling))
        #expect(plain.examples == 5 && weights.examples == 5 && sampling.examples == 8)
        // An image that comes again is computed once.
        #expect(plain.computed == 5 && weights.computed == 5 && sampling.computed == 5)
        #expect(plain.losses != weights.losses)
        // One step an epoch: 4 · 5/8 · a + 1 · 5/2 · b over 5 is half of both classes' means, which is the mean over 4 of each.
        #expect(zip(weights.losses, sampling.losses).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test func aCenteredHeadReadsFeaturesOfOneLengthAboutTheirMean() throws {
        var recipe = TrainingRecipe(head: [.centered])
        (recipe.inputSize, recipe.epochs) = (48, 3)
        #expect(recipe.penalty == 0.2)
        let images = try ImageFolder(at: leaves.folder, rule: recipe.rule)
        let training = try ClassifierTraining(on: images, recipe, options: DrawnLeaves.options)
        let classifier = try training.run()
        let model = training.model
        let features = try Model(inputs: model.input, outputs: model.layer(named: "spread").output)
        let plain = try Model(inputs: model.input, outputs: model.layer(named: recipe.cut).output)
        let all = try images.training.batch(Array(0..<20)).inputs[0]
        let (centered, before) = (try features.predict(all), try plain.predict(all))
        let width = centered.shape[1]
        let means = (0..<width).map { column in (0..<20).reduce(0) { $0 + Double(before[$1 * width + column]) } / 20 }
        for row in 0..<20 {
            let distances = (0..<width).map { Double(before[row * width + $0]) - means[$0] }
            let length = distances.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let worst =
                (0..<width).map { column in
                    abs(
                        Double(centered[row * width + column]) - distances[column] / length * Double(width).squareRoot()
                    )
                }.max() ?? 1
            // Features near 1 in 32 bits, their differences divided by a length of about 1 and multiplied by 35.
            #expect(worst < 2e-3)
        }
        try classifier.save(leaves.path("centered.keras"))
        let again = try Classifier(contentsOf: leaves.path("centered.keras"), options: classifier.options)
        let path = images.training.paths[0]
        #expect(try again.classify(contentsOf: path) == classifier.classify(contentsOf: path))
    }

    @Test func featuresAreAugmentedAnewInEachEpochAndNotInValidation() throws {
        func train(_ augmentation: FeatureAugmentation?, cache: FeatureCache = .temporary) throws -> [History] {
            var recipe = DrawnLeaves.recipe
            (recipe.featureAugmentation, recipe.learningRate) = (augmentation, 1e-30)
            let images = try ImageFolder(at: leaves.folder, rule: recipe.rule)
            var options = DrawnLeaves.options
            options.features = cache
            let training = try ClassifierTraining(on: images, recipe, options: options)
            _ = try training.run()
            return training.outcome.histories
        }
        let brightness = try FeatureAugmentation(brightness: 0.5)
        let (plain, augmented, again) = (try train(nil)[0], try train(brightness)[0], try train(brightness)[0])
        // Nothing is learned at this rate: what changes from epoch to epoch are the features.
        #expect(abs(plain["loss"][0] - plain["loss"][1]) < 1e-6)
        #expect(abs(augmented["loss"][0] - augmented["loss"][1]) > 1e-5 && augmented["loss"] != plain["loss"])
        #expect(augmented["val_loss"] == plain["val_loss"] && augmented["loss"] == again["loss"])
        let error = #expect(throws: GraftError.self) { try train(brightness, cache: .off) }
        #expect(error?.message.hasPrefix("featureAugmentation: no features are kept here") == true)
    }
}
