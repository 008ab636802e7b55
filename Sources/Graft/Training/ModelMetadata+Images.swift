import GraftImages
import GraftModel

extension ModelMetadata {
    /// What was learned of images; `nil` where the file does not say, as that of a classifier.
    ///
    /// - Throws: `GraftError` with code `format` for a task that this Graft does not know.
    public var imageTask: ImageTask? {
        get throws(GraftError) {
            guard let task else { return nil }
            guard let known = ImageTask(rawValue: task) else {
                throw GraftError(
                    .format, "the model was trained for '\(task)', which this Graft does not know")
            }
            return known
        }
    }

    /// The files that were held back from training; `nil` where the model does not remember any.
    ///
    /// - Throws: `GraftError` with code `format` where they are not what Graft writes.
    public var heldBack: HeldBackFiles? {
        get throws(GraftError) {
            guard let storedSplit else { return nil }
            return try HeldBackFiles(storedSplit)
        }
    }

    /// Has a saved model remember which files were held back.
    mutating func setHeldBack(_ files: HeldBackFiles) { storedSplit = files.configuration }
}
