import GraftImages
import GraftTraining

extension Classifier {
    /// Trains a classifier on a folder of images: one folder a class, or `train` and `validation` that hold such; or on a table
    /// that names images and their classes (``GraftImages/ImageTable``).
    ///
    /// ```swift
    /// let classifier = try Classifier.train(on: "photos")
    /// try classifier.save("photos.keras")
    /// ```
    ///
    /// ``ClassifierTraining`` does the same in steps, and tells what was measured.
    ///
    /// - Parameters:
    ///   - folder: the folder or table, as ``GraftImages/LabelledImages`` reads it.
    ///   - recipe: how; with nothing said, a head on the small base that is part of Graft, which downloads nothing.
    ///   - callbacks: what follows the run.
    ///   - options: threads, precision, cache, a flag to stop. `precision: .automatic` computes in bfloat16 where that costs
    ///     little.
    /// - Throws: `GraftError` as ``GraftImages/LabelledImages`` and ``ClassifierTraining``.
    public static func train(
        on folder: String, _ recipe: TrainingRecipe = TrainingRecipe(), callbacks: [any Callback] = [],
        options: TrainingOptions = TrainingOptions()
    ) throws -> Classifier {
        let images = try LabelledImages(
            at: folder, rule: recipe.rule, validationSplit: recipe.validationSplit, seed: recipe.seed,
            threads: options.threads)
        return try ClassifierTraining(on: images, recipe, options: options).run(callbacks: callbacks)
    }
}
