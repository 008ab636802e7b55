import GraftGraph
import GraftRuntime

/// In which forms the steps of a plan read an input.
struct InputForms: Sendable {
    /// As an array of all elements.
    var isDense = false
    /// As bitmap-compressed rows, packed in the order in which products read them.
    var isBitmap = false
    /// What the array's elements are stored as.
    var elementType = ElementType.float32
}

/// An input in the forms in which a plan's steps read it.
struct FedInput: Sendable {
    let dense: Tensor?
    let bitmap: PackedBitmapRows?

    /// The forms of an array; rows that come compressed are expanded only where a step reads all elements.
    init(_ array: HostArray, _ forms: InputForms, in pool: TensorPool) {
        dense = forms.isDense ? array.tensor.stored(as: forms.elementType) : nil
        guard forms.isBitmap else {
            bitmap = nil
            return
        }
        bitmap =
            switch array {
            case .dense(let tensor): PackedBitmapRows(BitmapRows(tensor), in: pool)
            case .bitmap(let rows): PackedBitmapRows(rows, in: pool)
            }
    }

    /// Whether both are the same elements in the same memory.
    func isSame(as other: FedInput) -> Bool {
        guard bitmap === other.bitmap else { return false }
        guard let dense, let others = other.dense else { return dense == nil && other.dense == nil }
        return dense.sharesMemory(with: others)
    }
}

/// What one run is given.
struct RunRequest {
    /// In the order of the plan's inputs.
    let inputs: [FedInput]
    /// The next run's input of the next-batch product, where it is known.
    var next: FedInput?
    var randomKey: UInt64 = 0
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
        byteCount = inputs.reduce(0) { $0 + ($1?.dense?.byteCount ?? 0) + ($1?.bitmap?.byteCount ?? 0) }
    }
}
