import GraftGraph
import GraftModel

/// What a callback remembers, as a checkpoint keeps it: small values by name, and arrays by name.
public struct CallbackState: Sendable {
    /// Counters, best figures, positions: an object as a rule.
    public var values: Configuration
    /// Arrays, such as the best weights; shared with whoever else holds them, never copied.
    public var tensors: [String: Tensor]

    /// A state of these values and arrays.
    public init(values: Configuration, tensors: [String: Tensor] = [:]) {
        (self.values, self.tensors) = (values, tensors)
    }
}
