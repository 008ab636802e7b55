extension Base {
    /// The network of this base as a model, with Keras's arguments:
    ///
    /// ```swift
    /// let base = try ResNet101(weights: .imagenet, includeTop: false, inputShape: [160, 160, 3])
    /// ```
    ///
    /// Images are numbers from 0 to 255, red, green, blue: the model begins with the base's own ``preprocessing``.
    /// They are of ``defaultSize`` rows and columns by default, and at least of ``minimumSize``.
    ///
    /// - Parameters:
    ///   - weights: Where the weights come from; random ones by default.
    ///   - includeTop: Whether the classifier that the base was trained with is on top.
    ///   - inputShape: Rows, columns and channels of an image.
    ///   - pooling: What becomes of the features; for a base without its top.
    ///   - classes: The number of classes; for a base with its top.
    ///   - classifierActivation: The activation of the last layer; for a base with its top. `.linear` gives logits.
    ///   - includePreprocessing: `false` is for images that were preprocessed before.
    /// - Throws: `GraftError` where the arguments do not fit, or the weights cannot be had or do not fit.
    public func callAsFunction(
        weights: Weights = .none, includeTop: Bool = true, inputShape: Shape? = nil, pooling: GlobalPooling = .none,
        classes: Int = 1000, classifierActivation: ActivationFunction = .softmax, includePreprocessing: Bool = true
    ) throws(GraftError) -> Model {
        try model(
            BaseOptions(
                weights: weights, includeTop: includeTop, inputShape: inputShape, pooling: pooling, classes: classes,
                classifierActivation: classifierActivation,
                preprocessing: includePreprocessing ? nil : Preprocessing.none))
    }
}
