import GraftGraph

/// What a pass over the trunk is about to compute, and the room that it may take.
public struct FeatureDemand: Sendable, Hashable {
    /// How many views of each training example there are; 1 where nothing is augmented.
    public var views: Int
    /// The features that are missing, those of validation among them.
    public var missing: Int
    /// The bytes that these take at most, on disk and before they are packed: zeros, most of what a relu gives, take a bit.
    public var byteCount: Int
    /// The bytes of those that an earlier run left.
    public var keptByteCount: Int
    /// How many bytes of features the cache may hold.
    public var byteLimit: Int

    /// Features of several views are a choice, so that it is refused where the cache may get fuller than it should; those of the
    /// images themselves are not, and what is beyond the limit goes with the run.
    ///
    /// - Throws: `GraftError` with code `argument` that says how many views there is room for.
    func checkLimit() throws(GraftError) {
        let needed = byteCount + keptByteCount
        guard views > 1, needed > byteLimit else { return }
        let fitting = Int(Double(views) * Double(byteLimit) / Double(needed))
        let wayOut = fitting > 0 ? "ask for \(fitting.of("view")), " : ""
        throw GraftError(
            .argument,
            "the features of \(views) views may take \(Disk.text(byteCount: needed)), and the cache may hold "
                + "\(Disk.text(byteCount: byteLimit)); \(wayOut)raise the limit, or keep no features: the whole network then "
                + "runs at every step, on new views each epoch")
    }
}

extension Int {
    fileprivate func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
