import Foundation
import GraftGraph

/// Whether two tensors are the same bit for bit, NaN included; by one pass over their memory, since element by element takes
/// seconds for a large one where nothing is optimized.
package func haveSameBits(_ left: Tensor, _ right: Tensor) -> Bool {
    guard left.shape == right.shape, left.elementType == right.elementType else { return false }
    return left.withUnsafeStoredBytes { left in
        right.withUnsafeStoredBytes { right in
            guard let first = left.baseAddress, let second = right.baseAddress else { return left.count == right.count }
            return left.count == right.count && memcmp(first, second, left.count) == 0
        }
    }
}
