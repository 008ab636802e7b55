import GraftData
import GraftDigest
import GraftGraph
import Synchronization

/// Files to tensors: what ``ImageDataset`` and ``ImageFiles`` have in common.
struct ImageLoader: Sendable {
    let paths: [String]
    let rule: ImageRule
    let threads: Int
    private let decoder: ImageDecoder
    private let resizer: ImageResizer
    private let fingerprints: Fingerprints

    init(paths: [String], rule: ImageRule, threads: Int?) throws(GraftError) {
        if let threads, threads < 1 {
            throw GraftError(.argument, "pictures are decoded by at least 1 thread, not \(threads)")
        }
        self.paths = paths
        self.rule = rule
        self.threads = threads ?? ParallelWork.coreCount
        decoder = try ImageDecoder(rule)
        resizer = try ImageResizer(rule: rule)
        fingerprints = Fingerprints(count: paths.count)
    }

    /// The images that can be read, in order, as one tensor (images, height, width, channels), and the others.
    func load(
        _ indices: [Int], in memory: TensorPool
    ) throws(GraftError) -> (indices: [Int], tensor: Tensor, failures: [ExampleFailure]) {
        for index in indices { try checkIndex(index) }
        let failures = Mutex<[Int: String]>([:])
        let shape: Shape = [indices.count, rule.height, rule.width, rule.channels]
        let tensor = try memory.checkedTensor(shape) { values in
            let target = SharedMemory(values: values)
            ParallelWork.perform(count: indices.count, threads: threads) { slot in
                do throws(GraftError) {
                    try load(indices[slot], into: target.slot(slot, count: resizer.elementCount))
                } catch {
                    failures.withLock { $0[slot] = error.description }
                }
            }
        }
        let reasons = failures.withLock { $0 }
        guard !reasons.isEmpty else { return (indices, tensor, []) }
        let slots = indices.indices.filter { reasons[$0] == nil }
        let list = reasons.sorted { $0.key < $1.key }.map { slot, reason in
            ExampleFailure(index: indices[slot], path: paths[indices[slot]], message: reason)
        }
        return (slots.map { indices[$0] }, rows(slots, of: tensor), list)
    }

    /// One file to its place in the batch; its fingerprint is taken from the same bytes.
    private func load(_ index: Int, into target: UnsafeMutableBufferPointer<Float>) throws(GraftError) {
        try decoder.withImage(in: try read(index)) { image in
            resizer.resize(rule.fit.applied(to: image, height: rule.height, width: rule.width), into: target)
        }
    }

    /// The bytes of one file, from which its fingerprint is taken.
    private func read(_ index: Int) throws(GraftError) -> [UInt8] {
        let bytes = try FileBytes.read(paths[index], limit: ImageDecoder.maximumByteCount)
        fingerprints[index] = fingerprint(of: bytes)
        return bytes
    }

    /// The pixels of one file with the proportion that the rule says, and its bytes.
    func decode(_ index: Int) throws(GraftError) -> (image: DecodedImage, bytes: [UInt8]) {
        let (image, bytes) = try decodeWhole(index)
        return (rule.fit.applied(to: image, height: rule.height, width: rule.width), bytes)
    }

    /// All pixels of one file, and its bytes, from which its fingerprint is taken.
    func decodeWhole(_ index: Int) throws(GraftError) -> (image: DecodedImage, bytes: [UInt8]) {
        let bytes = try read(index)
        return (try decoder.decode(bytes), bytes)
    }

    /// The rows of the images that were read; only called where one was not.
    private func rows(_ slots: [Int], of tensor: Tensor) -> Tensor {
        let count = resizer.elementCount
        return tensor.withUnsafeBuffer { source in
            Tensor(uninitialized: [slots.count, rule.height, rule.width, rule.channels]) { target in
                for (row, slot) in slots.enumerated() {
                    let values = source[(slot * count)..<((slot + 1) * count)]
                    _ = target[(row * count)..<((row + 1) * count)].initialize(from: values)
                }
            }
        }
    }

    /// Decodes every image and keeps none; names those that cannot be read.
    func audit(progress: (@Sendable (_ done: Int, _ count: Int) -> Void)?) -> [ExampleFailure] {
        let state = Mutex<(done: Int, failures: [ExampleFailure])>((0, []))
        ParallelWork.perform(count: paths.count, threads: threads) { index in
            var failure: ExampleFailure?
            do throws(GraftError) {
                try decoder.withImage(in: try read(index)) { _ in }
            } catch {
                failure = ExampleFailure(index: index, path: paths[index], message: error.description)
            }
            let done = state.withLock { state in
                state.done += 1
                if let failure { state.failures.append(failure) }
                return state.done
            }
            progress?(done, paths.count)
        }
        return state.withLock { $0.failures }.sorted { $0.index < $1.index }
    }

    /// The fingerprint of a file as it was last read, or as it is now where it has not been read yet.
    func fingerprint(of index: Int) throws(GraftError) -> String {
        try checkIndex(index)
        if let known = fingerprints[index] { return known }
        do throws(GraftError) {
            let value = fingerprint(of: try FileBytes.read(paths[index], limit: ImageDecoder.maximumByteCount))
            fingerprints[index] = value
            return value
        } catch {
            throw error.inside(paths[index])
        }
    }

    /// SHA-256 of the decoder's version, the rule and the file's bytes, as 64 hexadecimal digits.
    private func fingerprint(of bytes: [UInt8]) -> String {
        var hash = SHA256()
        // What is usual is left out, so that features kept before there was one are found.
        let fit = rule.fit == .stretch ? "" : " \(rule.fit.rawValue)"
        let window = rule.window.map { " window \($0)" } ?? ""
        let recipe =
            "\(ImageDecoder.version) \(rule.height)x\(rule.width)x\(rule.channels) \(rule.resize.rawValue)"
            + "\(fit)\(window)\(rule.isGrey ? " grey" : "")\n"
        hash.update(recipe.utf8)
        hash.update(bytes)
        return hash.finalize().hexadecimal
    }

    func checkIndex(_ index: Int) throws(GraftError) {
        guard paths.indices.contains(index) else {
            throw GraftError(.argument, "there is no picture \(index) among \(paths.count)")
        }
    }
}

/// The batch's memory, written to by several threads, each in slots of its own.
///
/// Sendable because no two calls are given the same slot, and the memory outlives them.
struct SharedMemory: @unchecked Sendable {
    let values: UnsafeMutableBufferPointer<Float>

    func slot(_ number: Int, count: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: values[(number * count)..<((number + 1) * count)])
    }
}

/// The fingerprints that are known, shared by all copies of a dataset.
private final class Fingerprints: Sendable {
    private let values: Mutex<[String?]>

    init(count: Int) { values = Mutex([String?](repeating: nil, count: count)) }

    subscript(index: Int) -> String? {
        get { values.withLock { $0[index] } }
        set { values.withLock { $0[index] = newValue } }
    }
}
