import GraftGraph

/// What a network's convolutions compute in, with the activations between them; everything else is always float32.
public enum Precision: String, Hashable, Sendable, CaseIterable {
    /// 32-bit numbers: Keras's results.
    case float32
    /// Numbers of 16 bits with 8 bits of precision, summed in 32: about twice as fast where the processor multiplies them by
    /// instructions of its own (AVX512_BF16 or AMX), refused elsewhere. Features differ from float32's by about one in a
    /// hundred. Variables, losses, statistics and updates stay in 32 bits, so that training needs no loss scaling.
    case bfloat16
    /// ``bfloat16`` where the processor has it, else ``float32``.
    case automatic

    /// Whether this processor multiplies bfloat16 by instructions of its own.
    public static var isBFloat16Supported: Bool { (try? BackendRegistry.standard)?.hasBFloat16() ?? false }

    /// What a run would take: ``float32`` or ``bfloat16``.
    ///
    /// - Throws: `GraftError` with code `argument` where bfloat16 is asked for and the processor does not have it.
    public func resolved() throws(GraftError) -> Precision {
        switch self {
        case .float32: return .float32
        case .automatic: return Self.isBFloat16Supported ? .bfloat16 : .float32
        case .bfloat16:
            guard Self.isBFloat16Supported else {
                throw GraftError(
                    .argument,
                    "the precision bfloat16 needs a processor with AVX512_BF16 or AMX, and this one has neither; choose "
                        + "float32, or automatic to take what there is")
            }
            return .bfloat16
        }
    }

    /// The element type that plans are made for.
    package var elementType: ElementType {
        get throws(GraftError) { try resolved() == .bfloat16 ? .bfloat16 : .float32 }
    }
}
