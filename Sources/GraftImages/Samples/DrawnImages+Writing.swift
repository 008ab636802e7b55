import GraftData
import GraftGraph
import Synchronization

extension DrawnImages {
    /// How many images of a set are drawn, and which.
    public struct Options: Sendable, Hashable {
        /// Images of each class to train with, at least 1.
        public var train: Int
        /// Images of each class to validate with; with 0 there is no folder for them.
        public var validation: Int
        /// Rows and columns of an image, 16 to 1024.
        public var size: Int
        /// Another number draws other images.
        public var seed: UInt64
        /// How many images are drawn at once; all cores where it is `nil`.
        public var threads: Int?

        /// Few images to train with, as is usual where a pretrained network helps: 12 a class, 40 to validate with, 160 × 160
        /// pixels.
        public init(train: Int = 12, validation: Int = 40, size: Int = 160, seed: UInt64 = 0, threads: Int? = nil) {
            self.train = train
            self.validation = validation
            self.size = size
            self.seed = seed
            self.threads = threads
        }

        func count(of split: Split) -> Int { split == .train ? train : validation }

        fileprivate func check() throws(GraftError) {
            let most = DrawnImages.indices.upperBound
            for (name, count, least) in [("train", train, 1), ("validation", validation, 0)] {
                guard (least...most).contains(count) else {
                    throw GraftError(
                        .argument, "\(name): got \(count) images a class, needs \(least) to \(most)")
                }
            }
            try DrawnImages.check(size: size)
        }
    }

    /// Writes the images as PNG files: `folder/train/CLASS/1.png`, `folder/validation/CLASS/1.png` and so on.
    ///
    /// Each file appears under its name when it is whole. A folder that is there already must be empty or hold this set and
    /// nothing else, whatever its seed: then its images are replaced, and those beyond the wanted number are removed.
    ///
    /// - Parameters:
    ///   - folder: made where it is not there.
    ///   - options: how many, how large, and the seed.
    ///   - isCancelled: asked before each image; where it says so, no more are drawn.
    ///   - progress: told how many are done, of how many; from any thread.
    /// - Returns: the number of images.
    /// - Throws: `GraftError` with code `argument` for options out of range, `file` where something else is in the folder or
    ///   the disk refuses, `cancelled` where it was asked to stop.
    @discardableResult
    public func write(
        to folder: String, _ options: Options = Options(), isCancelled: (@Sendable () -> Bool)? = nil,
        progress: (@Sendable (Int, Int) -> Void)? = nil
    ) throws(GraftError) -> Int {
        try options.check()
        let target = try DrawnFolder(path: folder, set: self)
        let before = try target.existingFiles()
        let images = members(of: options)
        try target.makeFolders(options)
        let outcome = Mutex<(done: Int, failure: GraftError?)>((0, nil))
        ParallelWork.perform(count: images.count, threads: options.threads ?? ParallelWork.coreCount) { number in
            guard outcome.withLock({ $0.failure == nil }), isCancelled?() != true else { return }
            do throws(GraftError) {
                try write(images[number], options, to: target)
                let done = outcome.withLock { state in
                    state.done += 1
                    return state.done
                }
                progress?(done, images.count)
            } catch {
                outcome.withLock { $0.failure = $0.failure ?? error }
            }
        }
        let (done, failure) = outcome.withLock { $0 }
        if let failure { throw failure }
        guard done == images.count else {
            throw GraftError(
                .cancelled,
                "stopped as asked: \(done) of \(images.count) images are in \(folder); run it again for all of them")
        }
        try target.remove(before.subtracting(images.map { target.path(of: $0) }))
        return done
    }

    /// Which image of a set.
    struct Member {
        let split: Split
        let classNumber: Int
        let index: Int
    }

    private func members(of options: Options) -> [Member] {
        Split.allCases.flatMap { split in
            classNames.indices.flatMap { classNumber in
                (0..<options.count(of: split)).map { Member(split: split, classNumber: classNumber, index: $0 + 1) }
            }
        }
    }

    private func write(_ member: Member, _ options: Options, to target: DrawnFolder) throws(GraftError) {
        let image = try image(
            class: member.classNumber, index: member.index, split: member.split, seed: options.seed, size: options.size)
        try AtomicFile.write(PNGWriter.bytes(of: image, software: target.mark), to: target.path(of: member))
    }
}
