import GraftGraph
import GraftModel

/// The names of a checkpoint's arrays.
private enum ArrayName {
    /// A variable, by its place in the model, at the end of the last complete epoch.
    static func variable(_ index: Int) -> String { "variable/\(index)" }
    /// The same as the steps of the running epoch have changed it, where they have.
    static func running(_ index: Int) -> String { "running/\(index)" }
    /// An optimizer's array beside a variable.
    static func slot(_ index: Int, _ slot: Int) -> String { "slot/\(index)/\(slot)" }
    /// An array of a callback.
    static func callback(_ index: Int, _ name: String) -> String { "callback/\(index)/\(name)" }
}

extension FitRun {
    /// Raised where the layout of checkpoints changes so that an older Graft would read them wrongly.
    private static var formatVersion: Int { 1 }

    // MARK: Taking

    /// The run between two steps or epochs, ready to be kept: its arrays shared, its values made when they are asked for.
    ///
    /// - Parameter runner: what holds the arrays of the running epoch; `nil` where the run has taken them back.
    func checkpoint(_ runner: StepRunner?, _ identity: RunIdentity) -> @Sendable () throws -> Checkpoint {
        var (tensors, values) = (arrays(runner), self.values)
        var states: [Configuration] = []
        for (index, callback) in arguments.callbacks.enumerated() {
            let state = callback.state
            for (name, tensor) in state?.tensors ?? [:] { tensors[ArrayName.callback(index, name)] = tensor }
            states.append([
                "type": .string(String(describing: type(of: callback))), "values": state?.values ?? .null,
                "has_state": .bool(state != nil),
                "arrays": .array((state?.tensors.keys.sorted() ?? []).map { .string($0) }),
            ])
        }
        values["callbacks"] = .array(states)
        return { [tensors, values] in
            Checkpoint(values: .object(values.merging(identity.configuration) { own, _ in own }), tensors: tensors)
        }
    }

    private var values: [String: Configuration] {
        [
            "format_version": .int(Self.formatVersion), "position": position.configuration,
            "history": run.history.configuration, "is_stopping": .bool(run.isStopping),
            "validation_unreadable": .array(validationUnreadable.sorted().map { .int($0) }),
            "steps": .int(compilation.stepCount), "epochs": .int(compilation.epochCount),
            "chosen_rate": run.chosenRate.map { .double(Double($0)) } ?? .null,
            "notes": arguments.checkpoint?.notes ?? .null,
        ]
    }

    private func arrays(_ runner: StepRunner?) -> [String: Tensor] {
        let indices = Dictionary(uniqueKeysWithValues: model.variables.enumerated().map { ($0.element, $0.offset) })
        var tensors: [String: Tensor] = [:]
        for (variable, index) in indices { tensors[ArrayName.variable(index)] = variable.value }
        for (variable, value) in variables(of: runner) {
            guard let index = indices[variable], !value.isIdentical(to: variable.value) else { continue }
            tensors[ArrayName.running(index)] = value
        }
        // Those that no step of this call has taken yet, then those that the plan holds.
        for (variable, slots) in compilation.slots {
            guard let index = indices[variable] else { continue }
            for (slot, value) in slots.enumerated() { tensors[ArrayName.slot(index, slot)] = value }
        }
        let addresses = runner?.program?.slots ?? [:]
        for (id, value) in runner?.values(updatedOnly: true) ?? [:] {
            guard let address = addresses[id], let index = indices[address.variable] else { continue }
            tensors[ArrayName.slot(index, address.index)] = value
        }
        return tensors
    }

    // MARK: Going on

    /// Gives the run, the model and the optimizer what a checkpoint kept; callbacks get theirs when they have begun.
    ///
    /// - Returns: what to tell, and the callbacks' states.
    /// - Throws: `GraftError` with code `state` where the checkpoint is of another run, `format` where it cannot be
    ///   understood; nothing is changed then.
    func takeUp(_ stored: StoredCheckpoint, _ identity: RunIdentity) throws(GraftError) -> Resumption {
        let values = StoredValues(stored.checkpoint.values)
        let version = try values.integer("format_version", in: 1...(.max))
        guard version <= Self.formatVersion else {
            throw GraftError(
                .format,
                "\(stored.name) is of version \(version), this Graft reads up to \(Self.formatVersion); use a newer one"
            )
        }
        if let difference = try identity.difference(from: values) {
            throw GraftError(
                .state,
                "\(stored.name) cannot be resumed: \(difference); go on with what the run was begun with, or remove the "
                    + "checkpoint and begin anew")
        }
        var next = RunPosition(compilation.metrics)
        try next.restore(values.part("position"), count: exampleCount)
        let history = try History(configuration: .object(values.part("history").members))
        let states = try callbackStates(values, stored)
        let (steps, epochs) = (
            try values.integer("steps", in: 0...(.max)), try values.integer("epochs", in: 0...(.max))
        )
        let isStopping = try values.flag("is_stopping")
        let unreadable = try values.integers("validation_unreadable", in: 0..<max(validationCount, 1))
        let remarks =
            (stored.problem.map { ["\($0.message); the checkpoint before it, \(stored.name), is used"] } ?? [])
            + (try identity.remarks(on: values))
        try takeArrays(stored.checkpoint.tensors)
        (compilation.stepCount, compilation.epochCount) = (steps, epochs)
        (position, validationUnreadable) = (next, Set(unreadable))
        compilation.chosenRate = values["chosen_rate"]?.number.map { Float($0) }
        run.takeUp(compilation, history, isStopping: isStopping)
        failuresBefore = history.failures
        let report = ResumeReport(
            checkpoint: stored.name, epoch: position.epoch, step: position.step, remarks: remarks)
        return Resumption(report: report, states: states)
    }

    private func takeArrays(_ tensors: [String: Tensor]) throws(GraftError) {
        let variables = model.variables
        var (values, running, slots) = ([Tensor](), [Variable: Tensor](), [Variable: [Tensor?]]())
        func fitting(
            _ name: String, _ variable: Variable, _ type: ElementType = .float32
        ) throws(GraftError) -> Tensor? {
            guard let tensor = tensors[name] else { return nil }
            guard tensor.elementType == type else {
                throw GraftError(
                    .format,
                    "the checkpoint's array \(name) holds numbers of \(tensor.elementType.rawValue), not of \(type.rawValue)"
                )
            }
            guard tensor.shape == variable.shape else {
                throw GraftError(
                    .format, "the checkpoint's array \(name) has the shape \(tensor.shape), not \(variable.shape)")
            }
            return tensor
        }
        let optimizer = OptimizerProgram(compilation.optimizer)
        for (index, variable) in variables.enumerated() {
            guard let value = try fitting(ArrayName.variable(index), variable) else {
                throw GraftError(.format, "the checkpoint has no array for the variable \(variable.path)")
            }
            values.append(value)
            running[variable] = try fitting(ArrayName.running(index), variable)
            var kept: [Tensor?] = []
            for slot in optimizer.slots.indices {
                kept.append(
                    try fitting(ArrayName.slot(index, slot), variable, optimizer.elementType(ofSlot: slot)))
            }
            if kept.contains(where: { $0 != nil }) { slots[variable] = kept }
        }
        for (variable, value) in zip(variables, values) { variable.value = value }
        (runningValues, compilation.slots) = (running, slots)
    }

    private func callbackStates(
        _ values: StoredValues, _ stored: StoredCheckpoint
    ) throws(GraftError) -> [CallbackState?] {
        let list = try values.elements("callbacks").map { StoredValues($0, place: "callbacks.") }
        let types = arguments.callbacks.map { String(describing: type(of: $0)) }
        let before = list.map { $0["type"]?.text ?? "" }
        guard before == types else {
            throw GraftError(
                .state,
                "\(stored.name) cannot be resumed: the run had the callbacks \(before.joined(separator: ", ")), now they "
                    + "are \(types.joined(separator: ", ")); they must be the same in the same order")
        }
        var states: [CallbackState?] = []
        for (index, item) in list.enumerated() {
            guard try item.flag("has_state") else {
                states.append(nil)
                continue
            }
            var state = CallbackState(values: item["values"] ?? .null)
            for name in try item.elements("arrays").compactMap(\.text) {
                state.tensors[name] = stored.checkpoint.tensors[ArrayName.callback(index, name)]
            }
            states.append(state)
        }
        return states
    }
}

/// What is left to do when a run has taken up a checkpoint.
struct Resumption {
    let report: ResumeReport
    /// In the order of the callbacks.
    let states: [CallbackState?]
}

extension Tensor {
    /// Whether both share their memory.
    fileprivate func isIdentical(to other: Tensor) -> Bool {
        withUnsafeStoredBytes { own in other.withUnsafeStoredBytes { own.baseAddress == $0.baseAddress } }
    }
}
