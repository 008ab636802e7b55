import GraftData
import GraftGraph
import Synchronization

/// Images in memory, such as those that a server is sent: files of JPEG, PNG and so on as bytes, without classes.
///
/// ```swift
/// let images = try ImageBytes([body], rule: ImageRule(height: 150, width: 150))
/// let outputs = try model.predict(images).outputs
/// ```
///
/// Bytes that are no image are no error: they are missing from the batch and named in its `failures`. Features of images
/// in memory are not kept.
public struct ImageBytes: Dataset {
    /// How images become inputs.
    public let rule: ImageRule
    private let files: [[UInt8]]
    private let names: [String]
    private let threads: Int
    private let decoder: ImageDecoder
    private let resizer: ImageResizer

    /// These images; none is decoded before a batch asks for it.
    ///
    /// - Parameters:
    ///   - files: the bytes of a file each.
    ///   - names: what messages call them; `image 0`, `image 1`, … where `nil`.
    ///   - rule: size, channels, fit and resize method of the examples.
    ///   - threads: how many images are decoded at once; all cores where it is `nil`.
    /// - Throws: `GraftError` with code `argument` for a wrong rule, and for names that are not as many as the images.
    public init(
        _ files: [[UInt8]], names: [String]? = nil, rule: ImageRule, threads: Int? = nil
    ) throws(GraftError) {
        if let threads { try requirePositive(threads, "threads") }
        if let names, names.count != files.count {
            throw GraftError(.argument, "\(files.count) images need as many names, and there are \(names.count)")
        }
        (self.files, self.rule, self.threads) = (files, rule, threads ?? ParallelWork.coreCount)
        self.names = names ?? files.indices.map { "image \($0)" }
        decoder = try ImageDecoder(rule)
        resizer = try ImageResizer(rule: rule)
    }

    /// The number of images.
    public var count: Int { files.count }

    /// `nil`: the classes belong to the model that is asked.
    public var classNames: [String]? { nil }

    /// How images become inputs.
    public var inputRule: InputRule? { .image(rule) }

    /// Decodes and resizes these images, several at once.
    ///
    /// - Throws: `GraftError` with code `argument` for a number that is no image's.
    public func batch(_ indices: [Int]) throws -> Batch {
        if let wrong = indices.first(where: { !files.indices.contains($0) }) {
            throw GraftError(.argument, "there is no image \(wrong) among \(count)")
        }
        let results = Mutex<[Int: Result<Tensor, GraftError>]>([:])
        ParallelWork.perform(count: indices.count, threads: threads) { slot in
            let result = Result { () throws(GraftError) in
                try decoder.withImage(in: files[indices[slot]]) { image in
                    resizer.resized(rule.fit.applied(to: image, height: rule.height, width: rule.width))
                }
            }
            results.withLock { $0[slot] = result }
        }
        var batch = Batch(indices: [], inputs: [], targets: [])
        var rows: [Tensor] = []
        for (slot, result) in results.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            let index = indices[slot]
            switch result {
            case .success(let row):
                batch.indices.append(index)
                rows.append(row)
            case .failure(let error):
                batch.failures.append(
                    ExampleFailure(index: index, path: names[index], message: error.description))
            }
        }
        batch.inputs = [stacked(rows)]
        return batch
    }

    /// Images of the rule's size, one behind the other.
    private func stacked(_ rows: [Tensor]) -> Tensor {
        let size = rule.shape.elementCount
        return Tensor(uninitialized: [rows.count, rule.height, rule.width, rule.channels]) { target in
            for (number, row) in rows.enumerated() {
                row.withUnsafeBuffer { source in
                    _ = target[(number * size)..<((number + 1) * size)].initialize(from: source)
                }
            }
        }
    }

    /// None: the classes are what is asked for.
    public func targets(of indices: [Int]) throws -> [Tensor] { [] }

    /// What messages call the image.
    public func name(of index: Int) -> String? { names.indices.contains(index) ? names[index] : nil }

    /// `nil`: features of images in memory are not kept.
    public func fingerprint(of index: Int) throws -> String? { nil }
}
