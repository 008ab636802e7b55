import GraftData

/// A file or folder that takes no part, and why.
public typealias ImageProblem = FileProblem

/// What is to be learned of images.
public typealias ImageTask = LearningTask

extension FileKind {
    /// Files of images, by their extensions.
    static let images = FileKind(plural: "pictures", singular: "picture", extensions: ImageFormat.fileExtensions)
}
