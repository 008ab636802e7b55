import GraftData
import GraftGraph
import Synchronization

extension LabelledImages {
    /// The most bytes that are read to tell whether files of one size are equal.
    private static let comparedByteCount = 1 << 30

    /// What names, sizes and equal files tell before training, at little cost: empty files, unequal classes, and the same file
    /// twice, in two parts or under two classes.
    ///
    /// Only files of the same size are compared, by the fingerprints that the features are kept under, so that they are read
    /// ahead of time rather than twice; at most 1 GB of them. ``ImageAudit`` looks at all.
    ///
    /// - Throws: `GraftError` with code `argument` for no thread.
    package func quickFindings(threads: Int? = nil) throws(GraftError) -> [ImageFinding] {
        if let threads { try requirePositive(threads, "threads") }
        let parts = DatasetPart.allCases.compactMap { part in self[part].map { (part, $0) } }
        let members = parts.flatMap { part, images in
            images.paths.indices.map { Member(part: part, images: images, index: $0) }
        }
        let entries = members.map { entry($0) }
        let sizes = members.map { FileBytes.byteCount(of: $0.path) }
        var findings = zip(entries, sizes).filter { $1 == 0 }.map {
            ImageFinding(kind: .empty, paths: [$0.0.path], detail: "holds 0 bytes")
        }
        let listing = ImageListing(path: "", entries: entries, problems: [], hasParts: parts.count > 1)
        findings += task == .regression ? [] : listing.labelFindings.filter { $0.kind == .imbalance }
        let equal = Self.equal(members, sizes, threads: threads ?? ParallelWork.coreCount)
        return findings + RepeatedImages(sameBytes: equal.map { $0.map { entries[$0] } }).findings
    }

    private struct Member {
        let part: DatasetPart
        let images: ImageDataset
        let index: Int
        var path: String { images.paths[index] }
    }

    private func entry(_ member: Member) -> ImageListing.Entry {
        let labels = member.images.labels.isEmpty ? [] : [classNames[member.images.labels[member.index]]]
        return ImageListing.Entry(path: member.path, name: member.path, part: member.part, labels: labels)
    }

    /// The images with the same bytes, among those of the same size.
    private static func equal(_ members: [Member], _ sizes: [Int?], threads: Int) -> [[Int]] {
        var ofSize: [Int: [Int]] = [:]
        for (number, size) in sizes.enumerated() { if let size, size > 0 { ofSize[size, default: []].append(number) } }
        var candidates: [Int] = []
        var byteCount = 0
        for (size, numbers) in ofSize.sorted(by: { $0.key < $1.key }) where numbers.count > 1 {
            byteCount += size * numbers.count
            guard byteCount <= comparedByteCount else { break }
            candidates += numbers
        }
        let known = Mutex<[String: [Int]]>([:])
        let compared = candidates
        ParallelWork.perform(count: compared.count, threads: threads) { place in
            let member = members[compared[place]]
            guard let fingerprint = try? member.images.fingerprint(of: member.index) else { return }
            known.withLock { $0[fingerprint, default: []].append(compared[place]) }
        }
        return known.withLock { $0.values.map { $0.sorted() } }.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    }
}
