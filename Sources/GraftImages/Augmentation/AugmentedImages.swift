import GraftData
import GraftGraph
import Synchronization

/// Augmented views of images in files: each image in ``views`` versions, decoded and drawn when a batch asks for them.
///
/// A view is a function of the recipe, the seed, the view's number and the bytes of the file: it depends on no thread and
/// no other file. `fit` draws one view of each image an epoch, so that with as many views as epochs each epoch's are new; a
/// frozen trunk's features are kept for each view.
///
/// Inputs: one tensor (batch, height, width, channels) for each of ``sizes``, with values 0 to 255, all of the same view: the
/// same geometry, the same colours. Targets: those of the images.
///
/// An image that shrinks to less than half along an axis is averaged over blocks of 2, 4, 8, … pixels before it is
/// interpolated, whatever the resize method of the rule says; one that does not equals Keras's bilinear resize where the
/// recipe changes nothing.
public struct AugmentedImages: PooledDataset {
    /// How views differ from their images.
    public let augmentation: Augmentation
    /// How many views each image has.
    public let views: Int
    /// What all views follow from besides the files.
    public let seed: UInt64
    /// The sizes in which each view is drawn.
    public let sizes: [Size2D]
    /// The files, in order.
    public var paths: [String] { loader.paths }
    /// The classes in the order of their numbers; `nil` for images without.
    public let classNames: [String]?
    private let labels: [Int]?
    private let loader: ImageLoader
    private let renderer: ViewRenderer
    private let cache: DecodedImageCache
    /// The width by height in which geometry takes place: that of the first size.
    private let aspect: Double

    /// Views of images with classes.
    ///
    /// - Parameters:
    ///   - images: the images and their classes.
    ///   - augmentation: how views differ from their images.
    ///   - views: how many views each image has, 1 or more.
    ///   - seed: another number gives other views.
    ///   - sizes: the sizes in which each view is drawn, an input for each; that of the images' rule where it is `nil`. The
    ///     first says what is square: geometry takes place in it.
    ///   - cacheLimit: how many bytes of decoded images may be kept in memory; none by default. Worth it where views of small
    ///     images are drawn many times.
    /// - Throws: `GraftError` with code `argument` for an argument out of its range.
    public init(
        _ images: ImageDataset, _ augmentation: Augmentation, views: Int, seed: UInt64 = 0, sizes: [Size2D]? = nil,
        cacheLimit: Int = 0
    ) throws(GraftError) {
        try self.init(
            images.loader, labels: images.labels, classNames: images.classNames, augmentation, views: views, seed: seed,
            sizes: sizes, cacheLimit: cacheLimit)
    }

    /// Views of images without classes; parameters as for those with.
    ///
    /// - Throws: `GraftError` with code `argument` for an argument out of its range.
    public init(
        _ images: ImageFiles, _ augmentation: Augmentation, views: Int, seed: UInt64 = 0, sizes: [Size2D]? = nil,
        cacheLimit: Int = 0
    ) throws(GraftError) {
        try self.init(
            images.loader, labels: nil, classNames: nil, augmentation, views: views, seed: seed, sizes: sizes,
            cacheLimit: cacheLimit)
    }

    private init(
        _ loader: ImageLoader, labels: [Int]?, classNames: [String]?, _ augmentation: Augmentation, views: Int,
        seed: UInt64, sizes: [Size2D]?, cacheLimit: Int
    ) throws(GraftError) {
        try augmentation.validate()
        let count = max(loader.paths.count, 1)
        guard views >= 1, !count.multipliedReportingOverflow(by: views).overflow else {
            throw GraftError(
                .argument, "each image has \(views) views; it must be 1 or more, and all must be countable")
        }
        guard cacheLimit >= 0 else {
            throw GraftError(.argument, "\(cacheLimit) bytes of images cannot be kept; give 0 or more")
        }
        let sizes = sizes ?? [Size2D(loader.rule.height, loader.rule.width)]
        guard let first = sizes.first else {
            throw GraftError(.argument, "views need a size; give at least one")
        }
        for size in sizes {
            var rule = loader.rule
            (rule.height, rule.width) = (size.height, size.width)
            _ = try ImageResizer(rule: rule)
        }
        (self.loader, self.labels, self.classNames) = (loader, labels, classNames)
        (self.augmentation, self.views, self.seed, self.sizes) = (augmentation, views, seed, sizes)
        renderer = ViewRenderer(augmentation)
        cache = DecodedImageCache(limit: cacheLimit)
        aspect = Double(first.width) / Double(first.height)
    }

    /// The number of images.
    public var count: Int { loader.paths.count }

    /// How images become inputs where nothing is augmented, in the first size.
    public var inputRule: InputRule? {
        var rule = loader.rule
        (rule.height, rule.width) = (sizes[0].height, sizes[0].width)
        return .image(rule)
    }

    package var inputCount: Int { sizes.count }

    /// The bytes of decoded images that are in memory now.
    public var cachedByteCount: Int { cache.byteCount }

    /// Decodes these views' images, several at once and each once, and draws the views; the result does not depend on how
    /// many at once.
    ///
    /// - Throws: `GraftError` with code `argument` for a number that is no view's. An image that cannot be read is no error:
    ///   its views are missing from the batch and named in its `failures`.
    public func batch(_ indices: [Int]) throws -> Batch { try batch(indices, in: TensorPool(capacity: 0)) }

    package func batch(_ indices: [Int], in memory: TensorPool) throws -> Batch {
        for index in indices { try checkNumber(index) }
        let reasons = Mutex<[Int: String]>([:])
        let work = slotsByImage(indices)
        let shapes = sizes.map { Shape([indices.count, $0.height, $0.width, loader.rule.channels]) }
        let inputs = memory.tensors(shapes) { buffers in
            let memories = buffers.map(SharedMemory.init)
            ParallelWork.perform(count: work.count, threads: loader.threads) { number in
                let (image, slots) = work[number]
                do throws(GraftError) {
                    let known = try known(image)
                    for slot in slots { draw(known, indices[slot], slot: slot, into: memories) }
                } catch {
                    reasons.withLock { for slot in slots { $0[slot] = error.description } }
                }
            }
        }
        return try makeBatch(indices, inputs, reasons.withLock { $0 })
    }

    /// The class numbers of these views' images, without reading a file; none where they have no classes.
    ///
    /// - Throws: `GraftError` with code `argument` for a number that is no view's.
    public func targets(of indices: [Int]) throws -> [Tensor] {
        for index in indices { try checkNumber(index) }
        guard let labels else { return [] }
        return [Tensor(indices.map { Float(labels[example(ofNumber: $0)]) }, shape: [indices.count])]
    }

    /// The image's fingerprint, and all that its view follows from.
    ///
    /// - Throws: `GraftError` with code `file` where the file cannot be read.
    public func fingerprint(of index: Int) throws -> String? {
        try checkNumber(index)
        let (image, view) = (example(ofNumber: index), index / count)
        let sizes = sizes.map { "\($0.height)x\($0.width)" }.joined(separator: " ")
        return
            "\(try loader.fingerprint(of: image)) \(ViewRenderer.version) view \(view) seed \(seed) \(sizes) \(augmentation)"
    }

    /// The image's path.
    public func name(of index: Int) -> String? {
        guard count > 0, index >= 0, index < numberCount else { return nil }
        return paths[example(ofNumber: index)]
    }

    // MARK: Drawing

    private func draw(_ known: KnownImage, _ number: Int, slot: Int, into memories: [SharedMemory]) {
        let view = ViewParameters(
            augmentation, seed: seed, view: number / count, content: known.content, aspect: aspect)
        let targets = zip(memories, sizes).map { memory, size in
            memory.slot(slot, count: size.height * size.width * loader.rule.channels)
        }
        renderer.render(known.image, view, sizes: sizes, into: targets)
    }

    private func known(_ image: Int) throws(GraftError) -> KnownImage {
        if let known = cache[image] { return known }
        let (decoded, bytes) = try loader.decode(image)
        let known = KnownImage(image: decoded, content: ContentHash.value(of: bytes))
        cache.keep(known, at: image)
        return known
    }

    /// The images of a batch and where their views are in it, so that each is decoded once.
    private func slotsByImage(_ numbers: [Int]) -> [(image: Int, slots: [Int])] {
        var work: [(image: Int, slots: [Int])] = []
        var places: [Int: Int] = [:]
        for (slot, number) in numbers.enumerated() {
            let image = example(ofNumber: number)
            if let place = places[image] {
                work[place].slots.append(slot)
            } else {
                places[image] = work.count
                work.append((image, [slot]))
            }
        }
        return work
    }

    private func makeBatch(_ numbers: [Int], _ inputs: [Tensor], _ reasons: [Int: String]) throws -> Batch {
        guard !reasons.isEmpty else {
            return Batch(indices: numbers, inputs: inputs, targets: try targets(of: numbers))
        }
        let slots = numbers.indices.filter { reasons[$0] == nil }
        let failures = reasons.sorted { $0.key < $1.key }.map { slot, reason in
            ExampleFailure(index: numbers[slot], path: paths[example(ofNumber: numbers[slot])], message: reason)
        }
        let read = slots.map { numbers[$0] }
        return Batch(
            indices: read, inputs: inputs.map { $0.rows(slots) }, targets: try targets(of: read), failures: failures)
    }

    private func checkNumber(_ number: Int) throws(GraftError) {
        guard number >= 0, number < numberCount else {
            throw GraftError(.argument, "there is no view \(number) among \(count) images of \(views) views each")
        }
    }
}

extension TensorPool {
    /// Several tensors that are filled together.
    fileprivate func tensors(
        _ shapes: [Shape], fill: ([UnsafeMutableBufferPointer<Float>]) -> Void
    ) -> [Tensor] {
        var tensors: [Tensor] = []
        func make(_ position: Int, _ buffers: [UnsafeMutableBufferPointer<Float>]) {
            guard position < shapes.count else { return fill(buffers) }
            tensors.append(tensor(shapes[position]) { make(position + 1, buffers + [$0]) })
        }
        make(0, [])
        // The last is complete first.
        return tensors.reversed()
    }
}
