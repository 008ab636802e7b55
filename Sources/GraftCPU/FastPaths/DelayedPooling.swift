extension FastPath {
    /// Average pooling before a 1 × 1 convolution that makes fewer channels is done after it: InceptionV3 pools 768 channels to make
    /// 192 of them.
    ///
    /// Buys about half of 32 MB of pooled and copied channels a batch, with the slices of concatenations. It is a pass
    /// (`Graph.delayingPooling`), and can go when the backend is one that fuses pooling with convolutions.
    static let delayedPooling = FastPath(
        "delayed-pooling", page: "02-delayed-pooling",
        .rewrite { graph throws(GraftError) in try graph.delayingPooling() })
}
