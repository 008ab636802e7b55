import Synchronization

/// Tensors whose memory is reused when nothing else holds them.
///
/// For batches that are made over and over: new memory of megabytes has to be cleared by the system before it is written to,
/// which takes as long as filling it. As many are kept as were in use at once, `capacity` at most.
package final class TensorPool: Sendable {
    private let capacity: Int
    private let kept = Mutex<[Tensor]>([])

    /// A pool that keeps at most this many tensors.
    package init(capacity: Int) { self.capacity = capacity }

    /// A count rounded up to a power of two: few sizes, so that a batch finds the memory of one before it.
    package static func roomyCount(_ count: Int) -> Int { 1 << (Int.bitWidth - count.leadingZeroBitCount) }

    /// A tensor whose elements `fill` writes, each of them.
    package func tensor(
        _ shape: Shape, fill: (UnsafeMutableBufferPointer<Float>) throws -> Void
    ) rethrows -> Tensor {
        var tensor = take(shape) ?? Tensor(uninitialized: shape) { _ in }
        try tensor.withUnsafeMutableBuffer(fill)
        keep(tensor)
        return tensor
    }

    /// As ``tensor(_:fill:)``, of a size that a file or an argument decides about.
    ///
    /// - Throws: `GraftError` with code `backend` where the system gives no memory for it.
    package func checkedTensor(
        _ shape: Shape, fill: (UnsafeMutableBufferPointer<Float>) -> Void
    ) throws(GraftError) -> Tensor {
        var tensor: Tensor
        if let free = take(shape) {
            tensor = free
        } else {
            tensor = try Tensor(checked: shape) { (_) throws(GraftError) in }
        }
        tensor.withUnsafeMutableBuffer(fill)
        keep(tensor)
        return tensor
    }

    /// A tensor of this shape that only the pool holds, which then holds it no more. Where there is none and the pool is
    /// full, those of other shapes are let go: the last batch of an epoch is smaller, and the next epoch begins with large
    /// ones again.
    private func take(_ shape: Shape) -> Tensor? {
        kept.withLock { kept in
            let free = kept.indices.filter { kept[$0].isUnshared() }
            if let index = free.last(where: { kept[$0].shape == shape }) { return kept.remove(at: index) }
            guard kept.count >= capacity else { return nil }
            for index in free.reversed() { kept.remove(at: index) }
            return nil
        }
    }

    private func keep(_ tensor: Tensor) {
        kept.withLock { if $0.count < capacity { $0.append(tensor) } }
    }
}
