import Graft

/// How a precision is told, and why it was taken.
extension SettledPrecision {
    /// The reason in words.
    ///
    /// - Parameter noun: what the examples are that were tried.
    func explanation(_ noun: String = "image") -> String {
        let share = distance.map { "\(($0 * 100).fixed(1)) %" } ?? ""
        switch reason {
        case .resumed: return "as the run was begun"
        case .same: return "this network has no convolutions, which are what computes in bfloat16"
        case .distance:
            return
                "in bfloat16, which this processor has instructions for, this network's features would be off by "
                + "\(share) on a few of the \(noun)s; --precision bfloat16 takes it all the same"
        case .processor where precision == .float32: return "this processor has no instructions for bfloat16"
        case .processor:
            return "this processor has instructions for it; --precision float32 gives Keras's numbers"
                + (distance == nil ? "" : "; features are off by \(share) on a few of the \(noun)s")
        case .asked where isFar:
            return
                "as asked, though this network's features are off by \(share) on a few of the \(noun)s; --precision "
                + "float32 has Keras's numbers"
        case .asked: return "as asked"
        }
    }

    func tell(optimizerState: ElementType = .float32, noun: String = "image", on console: Console) {
        let explanation = explanation(noun)
        console.say("computing in \(precision.rawValue): \(explanation)")
        var object = JSONObject(event: "precision")
        object.add("precision", .string(precision.rawValue))
        object.add("reason", .string(explanation))
        if let distance { object.add("distance", .number(distance)) }
        if optimizerState != .float32 {
            console.say("the optimizer's state is stored in \(optimizerState.rawValue)")
            object.add("optimizer_state", .string(optimizerState.rawValue))
        }
        console.emit(object)
    }
}
