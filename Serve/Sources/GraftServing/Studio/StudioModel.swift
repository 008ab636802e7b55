import Foundation
import Graft
import Synchronization

/// What a project's last training came to: in memory after a run, from its file after a start.
final class StudioModel: Sendable {
    /// An image that was held back and is taken for something else.
    struct Mistake: Sendable {
        let className: String
        let image: String
        let predicted: String
        let probability: Double
    }

    private struct Kept {
        var classifier: Classifier?
        var mistakes: [Mistake]?
        var state: FileState?
    }

    private let path: String
    private let threads: Int?
    private let kept = Mutex(Kept())

    init(path: String, threads: Int?) { (self.path, self.threads) = (path, threads) }

    func set(_ classifier: Classifier, mistakes: [Mistake]) {
        let state = try? FileState(of: path)
        kept.withLock { $0 = Kept(classifier: classifier, mistakes: mistakes, state: state) }
    }

    /// Whether there is a model.
    var isThere: Bool { FileManager.default.fileExists(atPath: path) }

    /// The model; that of the file where another program wrote it since.
    ///
    /// - Throws: 404 where there is none; `GraftError` where it cannot be read.
    func classifier() throws -> Classifier {
        guard let state = try? FileState(of: path) else {
            throw Refusal.notFound("there is no model yet; train one first")
        }
        return try kept.withLock { kept in
            if let classifier = kept.classifier, kept.state == state { return classifier }
            let new = try Classifier(contentsOf: path, options: TrainingOptions(threads: threads))
            kept = Kept(classifier: new, mistakes: nil, state: state)
            return new
        }
    }

    /// Which of the images that are held back it gets wrong, the surest first.
    func mistakes(in folder: String) throws -> [Mistake] {
        let classifier = try classifier()
        if let known = kept.withLock({ $0.mistakes }) { return known }
        let recipe = TrainingRecipe()
        let images = try LabelledImages(
            at: folder, rule: classifier.rule, validationSplit: recipe.validationSplit, seed: recipe.seed,
            classNames: classifier.classNames, threads: threads)
        let found = try Self.mistakes(of: classifier, on: images)
        kept.withLock { $0.mistakes = found }
        return found
    }

    static func mistakes(of classifier: Classifier, on images: LabelledImages) throws -> [Mistake] {
        guard let validation = images.validation, classifier.outputs.areProbabilities else { return [] }
        var mistakes: [Mistake] = []
        let names = classifier.classNames
        for (index, answer) in try classifier.classify(contentsOf: validation.paths).enumerated() {
            guard case .success(let answer) = answer, let best = answer.best,
                names.indices.contains(validation.labels[index])
            else { continue }
            let right = names[validation.labels[index]]
            guard right != best.name else { continue }
            let image = URL(fileURLWithPath: validation.paths[index]).lastPathComponent
            mistakes.append(Mistake(className: right, image: image, predicted: best.name, probability: best.value))
        }
        return mistakes.sorted { $0.probability > $1.probability }
    }
}
