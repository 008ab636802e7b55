import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// The arrays that a run changes, while no plan has them.
struct TrainingArrays: Sendable {
    /// What the running epoch made of variables; the model has those of the epoch before.
    var running: [Variable: Tensor] = [:]
    /// The optimizer's arrays for each variable that was trained so far, in the order of its slots; `nil` for one that a plan
    /// has taken.
    var slots: [Variable: [Tensor?]] = [:]

    /// A variable's value, which then has no holder here.
    mutating func take(_ variable: Variable) -> Tensor { running.removeValue(forKey: variable) ?? variable.value }

    /// An optimizer's array, which then has no holder but the caller; a new one where the variable was not trained yet.
    mutating func take(_ address: StepProgram.SlotAddress) -> Tensor {
        if let kept = slots[address.variable]?[address.index] {
            slots[address.variable]?[address.index] = nil
            return kept
        }
        guard !address.slot.copiesVariable else { return address.variable.value }
        return Tensor(
            repeating: address.slot.initialValue, shape: address.variable.shape, as: address.elementType)
    }
}
