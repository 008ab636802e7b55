import GraftDigest
import GraftGraph

/// Images divided into folds, as ``ImageSplit`` divides them into parts: by the bytes of the files, images that are the same or
/// look the same in one fold, each class spread over all folds.
///
/// The same files give the same folds, whatever they are called and wherever they lie; a file that is added moves those at the
/// borders of its class.
package struct ImageFolds: Sendable {
    /// The fold of each image, from 0; `nil` for one that cannot be read.
    package let numbers: [Int?]
    /// How many groups of more than one image there are.
    package let groupCount: Int
    /// Names the images, their classes and their folds: 32 hexadecimal digits.
    package let identity: String

    /// Divides images.
    ///
    /// - Parameters:
    ///   - images: labelled with classes.
    ///   - count: how many folds; at least 2.
    ///   - seed: another number gives other folds.
    ///   - groups: a regular expression with one capture, on paths: images with the same text in it stay together.
    ///   - threads: how many images are looked at at once.
    ///   - progress: called after each image, from any thread.
    /// - Throws: `GraftError` as ``ImageSplit``; `argument` for fewer than two folds, `data` for images without classes.
    package init(
        of images: ImageDataset, count: Int, seed: UInt64 = 0, groups: String? = nil, threads: Int? = nil,
        progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil
    ) throws(GraftError) {
        guard count >= 2 else { throw GraftError(.argument, "folds: \(count); there must be at least 2") }
        guard images.labels.count == images.count, let names = images.classNames else {
            throw GraftError(.data, "folds are made of images with classes; these have other targets")
        }
        let entries = zip(images.paths, images.labels).map {
            ImageListing.Entry(path: $0, name: $0, part: .training, labels: [names[$1]])
        }
        let listing = ImageListing(path: "the images", entries: entries, problems: [], hasParts: false)
        let examined = ExaminedImages(images.paths, threads: threads, progress: progress)
        var grouping = ImageGrouping(listing, examined, try GroupNames(groups).names(of: entries))
        numbers = grouping.places(seed: seed, exact: true).map { place in
            place.map { min(Int($0 * Double(count)), count - 1) }
        }
        groupCount = grouping.repeatedCount
        var hash = SHA256()
        hash.update("graft folds 1 of \(count)\n".utf8)
        for (file, (number, label)) in zip(examined.files, zip(numbers, images.labels)) {
            let digest = file.digest?.hexadecimal ?? "unreadable"
            hash.update("\(digest) \(number.map(String.init) ?? "none") \(names[label])\n".utf8)
        }
        identity = hash.finalize().prefix(16).hexadecimal
    }
}
