import Synchronization

/// A decoded image and what its views are drawn from.
struct KnownImage: Sendable {
    let image: DecodedImage
    /// A hash of the file's bytes.
    let content: UInt64
}

/// Keeps decoded images up to a number of bytes: the first that come, and those to the end.
///
/// Nothing is let go, as epochs go over all images in turn: the one that was used the longest ago is the one that is needed
/// next.
final class DecodedImageCache: Sendable {
    private let limit: Int
    private let state = Mutex<(images: [Int: KnownImage], byteCount: Int)>(([:], 0))

    init(limit: Int) { self.limit = limit }

    /// What is kept of an image.
    subscript(index: Int) -> KnownImage? { state.withLock { $0.images[index] } }

    /// The bytes of pixels that are kept.
    var byteCount: Int { state.withLock { $0.byteCount } }

    /// Keeps an image where there is room.
    func keep(_ image: KnownImage, at index: Int) {
        let size = image.image.pixels.count
        guard size <= limit else { return }
        state.withLock { state in
            guard state.byteCount + size <= limit, state.images[index] == nil else { return }
            state.images[index] = image
            state.byteCount += size
        }
    }
}
