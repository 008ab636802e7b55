import GraftGraph
import GraftModel

/// The names of a checkpoint's arrays.
private enum ArrayName {
    /// A variable, by its place in the model, at the end of the last complete epoch.
    static func variable(_ index: Int) -> String { "variable/\(index)" }
    /// The same as the steps of the running epoch have changed it, where they have.
    static func running(_ index: Int) -> String { "running/\(index)" }
    /// An optimizer's array for a variable.
    static func slot(_ index: Int, _ slot: Int) -> String { "slot/\(index)/\(slot)" }
    /// An array of a callback.
    static func callback(_ index: Int, _ name: String) -> String { "callback/\(index)/\(name)" }
}

/// A run's checkpoints: when one is written, what is in it, and how a run resumes from it.
final class RunCheckpoints {
    private let checkpointing: Checkpointing
    private let run: TrainingRun
    private let events: RunEvents
    private let callbacks: [any Callback]
    private let checkpointer: Checkpointer
    private var identity: RunIdentity?

    /// Raised where the layout of checkpoints changes so that an older Graft would read them wrongly.
    private static let formatVersion = 1

    init(_ checkpointing: Checkpointing, _ run: TrainingRun, _ events: RunEvents, callbacks: [any Callback]) {
        (self.checkpointing, self.run, self.events, self.callbacks) = (checkpointing, run, events, callbacks)
        checkpointer = Checkpointer(checkpointing)
    }

    // MARK: Writing

    /// Has a checkpoint written where one is due.
    ///
    /// - Parameter arrays: called where it is.
    func writeIfDue(atEpochEnd: Bool, always: Bool = false, _ arrays: () -> TrainingArrays) throws {
        try tellReports()
        guard always || checkpointer.isDue(stepCount: run.state.stepCount, atEpochEnd: atEpochEnd) else { return }
        store(arrays())
    }

    /// Has a checkpoint written, due or not.
    func write(_ arrays: TrainingArrays) throws {
        try tellReports()
        store(arrays)
    }

    private func store(_ arrays: TrainingArrays) {
        guard let identity else { return }
        let position = run.state.position
        checkpointer.write(epoch: position.epoch, step: position.step, checkpoint(arrays, identity))
    }

    private func tellReports() throws {
        for report in checkpointer.takeReports() { try events.emit(.checkpoint(report)) }
    }

    /// Waits until nothing is written any more.
    func finish() { checkpointer.finish() }

    /// Waits for the last checkpoint; a complete run needs none.
    func end() throws {
        checkpointer.finish()
        try tellReports()
        if !run.history.isInterrupted, !checkpointing.keepsFile, !checkpointing.isShared {
            checkpointing.storage.remove()
        }
    }

    /// The run between two steps or epochs, ready to be kept: its arrays shared, its values made when they are asked for.
    private func checkpoint(
        _ arrays: TrainingArrays, _ identity: RunIdentity
    ) -> @Sendable () throws -> Checkpoint {
        var (tensors, values) = (tensors(of: arrays), run.state.configuration)
        values["format_version"] = .int(Self.formatVersion)
        values["notes"] = checkpointing.notes
        var states: [Configuration] = []
        for (index, callback) in callbacks.enumerated() {
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

    private func tensors(of arrays: TrainingArrays) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (index, variable) in run.model.variables.enumerated() {
            tensors[ArrayName.variable(index)] = variable.value
            if let value = arrays.running[variable], !value.isIdentical(to: variable.value) {
                tensors[ArrayName.running(index)] = value
            }
            for (slot, value) in (arrays.slots[variable] ?? []).enumerated() {
                tensors[ArrayName.slot(index, slot)] = value
            }
        }
        return tensors
    }

    // MARK: Resuming

    /// Takes up the checkpoint that is there, if that is wanted.
    ///
    /// - Parameters:
    ///   - identity: that of the run that is about to begin.
    ///   - arrays: take what the checkpoint kept.
    /// - Returns: what to tell, and the callbacks' states; `nil` where the run begins anew.
    /// - Throws: `GraftError` with code `state` where the checkpoint is of another run, `format` where it cannot be
    ///   understood; nothing is changed then.
    func resume(
        _ identity: RunIdentity, _ compilation: Compilation, _ arrays: inout TrainingArrays
    ) throws -> Restored? {
        self.identity = identity
        guard checkpointing.resumes, let stored = try checkpointing.storage.read() else { return nil }
        let restored = try restore(stored, identity, compilation, &arrays)
        self.identity = try identity.begun(as: StoredValues(stored.checkpoint.values))
        return restored
    }

    /// Tells the callbacks, which have begun, where the run resumes.
    func tell(_ restored: Restored) throws {
        for (callback, state) in zip(callbacks, restored.states) {
            if let state { try callback.restore(state) }
        }
        try events.emit(.resumed(restored.report))
    }

    private func restore(
        _ stored: StoredCheckpoint, _ identity: RunIdentity, _ compilation: Compilation,
        _ arrays: inout TrainingArrays
    ) throws(GraftError) -> Restored {
        let values = StoredValues(stored.checkpoint.values)
        try checkVersion(values, stored)
        if let difference = try identity.difference(from: values) {
            throw GraftError(
                .state,
                "\(stored.name) cannot be resumed: \(difference); go on with what the run was begun with, or remove the "
                    + "checkpoint and begin anew")
        }
        var state = run.state
        try state.restore(values, counts: identity.exampleCounts)
        let states = try callbackStates(values, stored)
        let remarks =
            (stored.problem.map { ["\($0.message); the checkpoint before it, \(stored.name), is used"] } ?? [])
            + (try identity.remarks(on: values))
        try restore(stored.checkpoint.tensors, compilation, &arrays)
        run.state = state
        events.failuresBefore = state.history.failures
        let report = ResumeReport(
            checkpoint: stored.name, epoch: state.position.epoch, step: state.position.step, remarks: remarks)
        return Restored(report: report, states: states)
    }

    private func checkVersion(_ values: StoredValues, _ stored: StoredCheckpoint) throws(GraftError) {
        let version = try values.integer("format_version", in: 1...(.max))
        guard version <= Self.formatVersion else {
            throw GraftError(
                .format,
                "\(stored.name) is of version \(version), this Graft reads up to \(Self.formatVersion); use a newer one"
            )
        }
    }

    private func restore(
        _ tensors: [String: Tensor], _ compilation: Compilation, _ arrays: inout TrainingArrays
    ) throws(GraftError) {
        let variables = run.model.variables
        var (values, restored) = ([Tensor](), TrainingArrays())
        func fitting(
            _ name: String, _ variable: Variable, _ type: ElementType = .float32
        ) throws(GraftError) -> Tensor? {
            try tensors[name].map { tensor throws(GraftError) in try Self.check(tensor, name, variable, type) }
        }
        let optimizer = OptimizerProgram(compilation.optimizer)
        for (index, variable) in variables.enumerated() {
            guard let value = try fitting(ArrayName.variable(index), variable) else {
                throw GraftError(.format, "the checkpoint has no array for the variable \(variable.path)")
            }
            values.append(value)
            restored.running[variable] = try fitting(ArrayName.running(index), variable)
            var kept: [Tensor?] = []
            for slot in optimizer.slots.indices {
                kept.append(
                    try fitting(ArrayName.slot(index, slot), variable, optimizer.elementType(ofSlot: slot)))
            }
            if kept.contains(where: { $0 != nil }) { restored.slots[variable] = kept }
        }
        for (variable, value) in zip(variables, values) { variable.value = value }
        arrays = restored
    }

    private static func check(
        _ tensor: Tensor, _ name: String, _ variable: Variable, _ type: ElementType
    ) throws(GraftError) -> Tensor {
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

    private func callbackStates(
        _ values: StoredValues, _ stored: StoredCheckpoint
    ) throws(GraftError) -> [CallbackState?] {
        let list = try values.elements("callbacks").map { StoredValues($0, place: "callbacks.") }
        let types = callbacks.map { String(describing: type(of: $0)) }
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

/// What is left to do when a run has restored a checkpoint.
struct Restored {
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
