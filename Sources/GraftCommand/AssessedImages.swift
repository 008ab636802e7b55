import Graft

/// The images that a model is judged by, and those that it could have learned from.
struct AssessedImages {
    /// What the answer rests on.
    let judged: ImageDataset
    /// The others; `nil` where there are none.
    let known: ImageDataset?
    /// Whether ``judged`` were held back from training, as far as is known.
    let isHeldBack: Bool
    /// What was chosen, for people.
    let note: String
    /// What takes no part.
    let problems: [ImageProblem]

    /// Chooses: the test part of a folder or table, else its validation part; of one that is not divided the images that the model
    /// remembers to have been held back, else all.
    ///
    /// - Throws: `GraftError` as `LabelledImages`.
    init(_ path: String, for classifier: Classifier, threads: Int?) throws {
        let metadata = classifier.model.metadata
        let found = try LabelledImages(
            at: path, rule: classifier.rule, task: metadata.imageTask, classNames: metadata.classNames, threads: threads
        )
        problems = found.problems
        if let held = found.test ?? found.validation {
            (judged, known, isHeldBack) = (held, found.training, true)
            note = "the \(found.test == nil ? "validation" : "test") part of \(path)"
            return
        }
        let parts = try metadata.heldBack?.parts(of: found.training.paths, threads: threads) ?? []
        let held = parts.indices.filter { parts[$0] != nil }
        guard !held.isEmpty else {
            (judged, known, isHeldBack) = (found.training, nil, false)
            note = "all images of \(path)"
            return
        }
        judged = try found.training.subset(held)
        known = try found.training.subset(parts.indices.filter { parts[$0] == nil })
        isHeldBack = true
        note = "the images of \(path) that the model remembers were held back from its training"
    }
}
