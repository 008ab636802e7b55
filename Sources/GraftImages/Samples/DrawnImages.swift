import GraftGraph

/// Labelled images that Graft draws itself: data to begin with, without a download.
///
/// ```swift
/// try DrawnImages.leaves.write(to: "leaves")
/// let leaves = try ImageFolder(at: "leaves", rule: ImageRule(height: 160, width: 160))
/// ```
///
/// What an image shows is decided by shape and texture. Pose, size, colour, ground, light, focus, noise and what lies about
/// are drawn without regard to the class, so that no mean of colour or brightness gives it away.
///
/// An image is a function of set, seed, class, split, index and size: other images of the same set change nothing in it,
/// and at another size the same scene appears. It has the same bits on every machine, as it is computed from a counter
/// (``GraftGraph/RandomStream``) by operations that IEEE 754 rounds alike everywhere. Only another version of Graft may
/// draw differently; its changelog says so.
public struct DrawnImages: Sendable, Identifiable {
    /// The name: `leaves`.
    public let id: String
    /// What is in it.
    public let title: String
    /// The classes in the order of their names.
    public let classNames: [String]
    /// Sets apart what the sets draw from the same seed.
    private let number: UInt64
    private let draw: @Sendable (SceneSeed, Int) -> DecodedImage

    /// What images are for; each split has images of its own.
    public enum Split: String, Sendable, CaseIterable {
        /// To train with.
        case train
        /// To validate with.
        case validation
    }

    /// One leaf of a birch, a ginkgo, a maple, an oak or a willow, in any season and pose, on soil, gravel, stone, grass,
    /// wood or paper.
    public static let leaves = DrawnImages(
        id: "leaves", title: "leaves of five trees, on the ground", classNames: LeafKind.allCases.map(\.name),
        number: 1,
        draw: LeafScene.image)

    /// One white blood cell in a stained film: basophil, eosinophil, lymphocyte, monocyte or neutrophil, between red cells
    /// and platelets. Drawings in the manner of micrographs; of no use for diagnosis.
    public static let cells = DrawnImages(
        id: "cells", title: "white blood cells of five kinds, under a microscope",
        classNames: CellKind.allCases.map(\.name), number: 2, draw: CellScene.image)

    /// All sets.
    public static let all = [leaves, cells]

    /// Rows and columns that an image may have.
    static let sizes = 16...1024
    /// The numbers that images of a class may have.
    static let indices = 1...100_000

    /// The set of this name.
    ///
    /// - Throws: `GraftError` with code `argument`, naming the sets there are and the one that was probably meant.
    public static func named(_ id: String) throws(GraftError) -> DrawnImages {
        let wanted = id.lowercased()
        if let set = all.first(where: { $0.id == wanted }) { return set }
        let guess = EditDistance.closest(to: wanted, among: all.map(\.id)).map { "; did you mean \($0)?" } ?? "."
        let known = all.map { "\($0.id) (\($0.title))" }.joined(separator: ", ")
        throw GraftError(.argument, "there is no sample set called “\(id)”\(guess) Graft draws \(known)")
    }

    /// Draws one image: square, three channels.
    ///
    /// - Parameters:
    ///   - classNumber: the place of its class in ``classNames``.
    ///   - index: its number in its class, from 1, as its file is named.
    ///   - split: what it is for.
    ///   - seed: another number draws others.
    ///   - size: rows and columns, 16 to 1024.
    /// - Throws: `GraftError` with code `argument` for a class, an index or a size that there is not.
    public func image(
        class classNumber: Int, index: Int, split: Split = .train, seed: UInt64 = 0, size: Int = 160
    ) throws(GraftError) -> DecodedImage {
        guard classNames.indices.contains(classNumber) else {
            throw GraftError(
                .argument, "\(id) has no class \(classNumber); its classes are 0 to \(classNames.count - 1)")
        }
        guard Self.indices.contains(index) else {
            throw GraftError(
                .argument, "there is no image \(index); images are numbered 1 to \(Self.indices.upperBound)")
        }
        try Self.check(size: size)
        let scene = SceneSeed(
            seed: seed &+ number &* 0x9E37_79B9_7F4A_7C15, classNumber: classNumber, isValidation: split == .validation,
            index: index)
        return draw(scene, size)
    }

    static func check(size: Int) throws(GraftError) {
        guard sizes.contains(size) else {
            throw GraftError(
                .argument,
                "images of \(size) × \(size) pixels cannot be drawn; give a size of \(sizes.lowerBound) to "
                    + "\(sizes.upperBound)")
        }
    }
}
