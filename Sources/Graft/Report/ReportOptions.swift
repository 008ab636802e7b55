import GraftImages
import GraftTraining

extension ModelReport {
    /// What goes into a report.
    public struct Options: Sendable {
        /// The most images that are looked at of those the model could have learned from, spread evenly; suspects, shortcuts and the
        /// learning curve rest on them.
        public var knownLimit = 2000
        /// What an audit of the images found; the report says what harms.
        public var audit: ImageAudit?
        /// Whether the images were held back from training, as far as is known.
        public var isHeldBack = true
        /// Lines on how it was made, added to those that the report knows.
        public var provenance: [(name: String, value: String)] = []
        /// The layer whose map says where the model looked; the last with several positions where `nil`.
        public var layer: String?
        /// New images without labels: the report says whether they still look like those that the answer rests on.
        public var newImages: ImageFiles?
        /// What is told of progress: what is done, and how far it is.
        public var progress: (@Sendable (_ activity: String, _ done: Int, _ count: Int) -> Void)?

        /// The usual ones.
        public init() {}
    }
}
