import GraftGraph
import GraftRuntime

/// In which forms the steps of a plan read an input.
struct InputForms: Sendable {
    /// As an array of all elements.
    var isDense = false
    /// As rows compressed by a bitmap, in the order in which products read them.
    var isPacked = false
    /// What the array's elements are stored as.
    var elementType = ElementType.float32
}

/// An input in the forms in which a plan's steps read it.
struct FedInput: Sendable {
    let dense: Tensor?
    let packed: PackedRows?

    /// The forms of an array; rows that come compressed are expanded only where a step reads all elements.
    init(_ array: HostArray, _ forms: InputForms, in pool: TensorPool) {
        dense = forms.isDense ? array.tensor.stored(as: forms.elementType) : nil
        guard forms.isPacked else {
            packed = nil
            return
        }
        packed =
            switch array {
            case .dense(let tensor): PackedRows(BitmapRows(tensor), in: pool)
            case .bitmap(let rows): PackedRows(rows, in: pool)
            }
    }

    /// Whether both are the same elements in the same memory.
    func isSame(as other: FedInput) -> Bool {
        guard packed === other.packed else { return false }
        guard let dense, let others = other.dense else { return dense == nil && other.dense == nil }
        return dense.sharesMemory(with: others)
    }
}

/// A batch in the form that one plan on the CPU reads.
final class CPUFeed: Feed {
    /// The plan that made it.
    let plan: ObjectIdentifier
    /// In the order of the plan's inputs; `nil` for those that a run is given as scalars.
    let inputs: [FedInput?]
    /// What was given, for messages.
    let names: [String]
    let byteCount: Int

    init(plan: ObjectIdentifier, _ inputs: [FedInput?], names: [String]) {
        (self.plan, self.inputs, self.names) = (plan, inputs, names)
        byteCount = inputs.reduce(0) { $0 + ($1?.dense?.byteCount ?? 0) + ($1?.packed?.byteCount ?? 0) }
    }
}
