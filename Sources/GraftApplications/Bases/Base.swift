import GraftFormats

/// A pretrained network that Graft knows: what it is called, what it takes, where it is usually cut, and which weights
/// are published for it.
///
/// ```swift
/// let base = try Base.named("inception-v3")
/// let model = try base.model(BaseOptions(weights: .imagenet, includeTop: false, inputShape: [150, 150, 3]))
/// ```
public struct Base: Sendable, Identifiable {
    /// The name on the command line: `inception-v3`.
    public let id: String
    /// The name of the function that makes it, as in Keras: `InceptionV3`.
    public let title: String
    /// The name of its models, as in Keras: `inception_v3`; MobileNetV2's end with the images' rows.
    public let modelName: String
    /// The networks of the same paper.
    public let family: BaseFamily
    /// Rows and columns of the images that it was trained on.
    public let defaultSize: Int
    /// The least rows and columns that it can take.
    public let minimumSize: Int
    /// Layers at which it is usually cut, the lowest first.
    public let cuts: [String]
    /// The layer at which it is cut by default.
    public let defaultCut: String
    /// What it does first to an image.
    public let preprocessing: Preprocessing
    /// The number of its parameters without its top.
    public let parameterCount: Int
    /// The number of its parameters with its top, at its default size, for the 1,000 classes of ImageNet; `nil` for one
    /// without a top.
    public let parameterCountWithTop: Int?
    /// The share of ImageNet's validation images whose class it names first, in percent, as Keras's table says
    /// (keras.io/api/applications); `nil` where it says nothing.
    public var topOneAccuracy: Double?
    /// The published weights without the top; `nil` where none are published in a form that Graft reads.
    public let weights: PublishedFile?
    /// The published weights with the top; `nil` where none are published in a form that Graft reads.
    public let weightsWithTop: PublishedFile?
    /// Published weights that were trained on images of other sizes than the default one, by rows and columns.
    var weightsBySize: [Int: (notop: PublishedFile, top: PublishedFile)] = [:]
    /// The weights without the top that are part of Graft.
    var builtIn: (@Sendable () throws(GraftError) -> SafetensorsFile)?

    /// How many of the features at the usual cut come from each layer, where they come from several; empty elsewhere.
    public var featureGroups: [Int] = []

    let network: any Network

    /// Whether its features are one vector, and no map of places.
    package var featuresArePooled: Bool { network.featuresArePooled }

    /// Whether its preprocessing is part of Keras's network too, layer by layer; of the others it is a function beside it.
    var preprocessingIsKerass: Bool { network.preprocessingIsKerass }

    /// Whether its weights are part of Graft, so that nothing has to be downloaded.
    public var hasBuiltInWeights: Bool { builtIn != nil }

    /// The weights that it has where nothing else is said: those that are part of Graft, or the published ones.
    public var usualWeights: Weights { hasBuiltInWeights ? .builtIn : .imagenet }

    /// The base of this id.
    ///
    /// - Throws: `GraftError` with code `argument` naming the bases that there are.
    public static func named(_ id: String) throws(GraftError) -> Base {
        let wanted = id.lowercased()
        if let base = all.first(where: { [$0.id, $0.title.lowercased(), $0.modelName].contains(wanted) }) {
            return base
        }
        let nearest = NearestNames.find(wanted, among: all.map(\.id)).joined(separator: ", ")
        throw GraftError(
            .argument, "there is no base called “\(id)”; the nearest are \(nearest), and `graft bases --all` lists all")
    }

    /// The published weights with or without the top: those that were trained on images of this shape, where the base has such,
    /// else those of its default size, as Keras chooses them.
    ///
    /// - Throws: `GraftError` with code `file` saying which file to give instead, where none are published.
    public func weights(includeTop: Bool, inputShape: Shape? = nil) throws(GraftError) -> PublishedFile {
        let isSquare = inputShape.map { $0.rank == 3 && $0[0] == $0[1] } ?? false
        let sized = inputShape.flatMap { shape in isSquare ? weightsBySize[shape[0]] : nil }
        if let sized { return includeTop ? sized.top : sized.notop }
        if let file = includeTop ? weightsWithTop : weights { return file }
        throw GraftError(
            .file,
            """
            no weights of \(title) are published in a form that Graft reads; give a file of yours \
            (--weights FILE, .file(path)): \(fileDescription)
            """)
    }

    /// What a weight file for this base is.
    public var fileDescription: String {
        let packages = network.pyTorchLayouts(for: [defaultSize, defaultSize, 3]).map(\.package)
        let names = packages.isEmpty ? nil : "safetensors with the names of \(packages.joined(separator: ", "))"
        return [names, "HDF5 as Keras writes it (.h5)"].compactMap(\.self).joined(separator: ", or ")
    }

    /// The path of the published weights on this machine, downloaded first where they are not here.
    ///
    /// - Throws: `GraftError` saying which file is needed, from where, and where to put it, where it cannot be had.
    public func fetchWeights(
        includeTop: Bool = false, inputShape: Shape? = nil, cache: FileCache = .standard(),
        progress: (@Sendable (DownloadProgress) -> Void)? = nil
    ) throws(GraftError) -> String {
        try cache.fetch(weights(includeTop: includeTop, inputShape: inputShape), progress: progress)
    }
}
