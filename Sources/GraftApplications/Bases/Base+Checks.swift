extension Base {
    /// The largest rows and columns of an image: beyond, a single layer's output needs gigabytes.
    static let maximumSize = 8192
    /// The most classes; the largest sets of labelled images have some 20,000.
    static let maximumClasses = 100_000

    /// The images' shape, the default one where the options name none.
    ///
    /// - Throws: `GraftError` with code `shape` saying what the base takes and what it was given.
    func inputShape(_ options: BaseOptions) throws(GraftError) -> Shape {
        guard let shape = options.inputShape else { return [defaultSize, defaultSize, 3] }
        guard shape.rank == 3 else {
            throw GraftError(
                .shape,
                """
                \(title) takes images of (height, width, channels), such as (\(defaultSize), \(defaultSize), 3); \
                received \(shape)
                """)
        }
        let sizes = shape.dimensions.prefix(2)
        guard sizes.allSatisfy({ $0 >= minimumSize }) else {
            throw GraftError(
                .shape, "\(title) takes images of at least \(minimumSize) × \(minimumSize); received \(shape)")
        }
        guard sizes.allSatisfy({ $0 <= Self.maximumSize }) else {
            throw GraftError(
                .shape, "\(title) takes images of at most \(Self.maximumSize) × \(Self.maximumSize); received \(shape)")
        }
        try checkChannels(shape, options)
        return shape
    }

    private func checkChannels(_ shape: Shape, _ options: BaseOptions) throws(GraftError) {
        guard shape.last != 3 else { return }
        guard options.weights == .none else {
            throw GraftError(
                .shape,
                """
                the weights of \(title) are for images of three channels, red, green and blue; received \(shape). \
                Bring the images to RGB, where a grey one has three equal channels, and pass \
                (\(shape[0]), \(shape[1]), 3); or train from random weights
                """)
        }
        guard (1...16).contains(shape.last) else {
            throw GraftError(.shape, "\(title) takes images of 1 to 16 channels; received \(shape)")
        }
    }

    /// Checks what belongs to the top, as Keras does.
    ///
    /// - Throws: `GraftError` with code `argument`, or `shape` where the top needs the default size.
    func check(_ options: BaseOptions) throws(GraftError) {
        guard (1...Self.maximumClasses).contains(options.classes) else {
            throw GraftError(
                .argument, "\(title) can have 1 to \(Self.maximumClasses) classes; received \(options.classes)")
        }
        guard options.pooling == .none || options.includeTop || !network.featuresArePooled else {
            throw GraftError(
                .argument, "the features of \(title) are pooled already; received pooling \(options.pooling.rawValue)")
        }
        guard !options.includeTop || parameterCountWithTop != nil || options.weights == .none else {
            throw GraftError(
                .argument,
                "\(title) has weights without a top alone; leave the top out and put a head of your own on it")
        }
        guard options.includeTop, options.weights != .none else { return }
        if options.weights == .imagenet, options.classes != 1000 {
            throw GraftError(
                .argument,
                """
                the published top of \(title) has 1000 classes; received \(options.classes). \
                Leave the top out and put a head of your own on the features
                """)
        }
        guard [.softmax, .linear].contains(options.classifierActivation) else {
            throw GraftError(
                .argument,
                """
                with trained weights the top of \(title) ends in softmax or linear; \
                received \(options.classifierActivation)
                """)
        }
        let ordinary: Shape = [defaultSize, defaultSize, 3]
        if network.topNeedsDefaultSize, options.weights == .imagenet, let shape = options.inputShape, shape != ordinary
        {
            throw GraftError(
                .shape,
                """
                with its published top \(title) takes images of \(ordinary) alone; received \(shape). \
                Leave the top out for another size
                """)
        }
    }
}
