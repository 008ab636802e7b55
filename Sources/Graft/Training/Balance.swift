/// What is done where classes have different numbers of images.
public enum Balance: String, Sendable, Hashable, CaseIterable {
    /// Nothing: a class counts by its images.
    case none
    /// The loss of an image is multiplied with n / (k · m), of n images in k classes with m in its own, so that each class counts
    /// alike; scikit-learn's `balanced`.
    case weights
    /// Images of smaller classes come several times an epoch, as many of each class as of the largest.
    case sampling
}
