import GraftModel

/// When a run goes on from a checkpoint, and when it has one written.
extension FitRun {
    /// Goes on from the checkpoint that is there, if that is wanted.
    func takeUpCheckpoint(_ trained: TrainedModel) throws -> Resumption? {
        guard let checkpointing = arguments.checkpoint else { return nil }
        let identity = RunIdentity(self, trained, training: training, validation: validation)
        self.identity = identity
        guard checkpointing.resumes, let stored = try checkpointing.storage.read() else { return nil }
        let resumption = try takeUp(stored, identity)
        self.identity = try identity.begun(as: StoredValues(stored.checkpoint.values))
        return resumption
    }

    /// Tells the callbacks, which have begun, where the run goes on.
    func goOn(_ resumption: Resumption) throws {
        for (callback, state) in zip(arguments.callbacks, resumption.states) {
            if let state { try callback.restore(state) }
        }
        try emit(.resumed(resumption.report))
    }

    /// Has a checkpoint written where one is due.
    func takeCheckpoint(_ runner: StepRunner?, atEpochEnd: Bool, always: Bool = false) throws {
        guard let checkpointer, let identity else { return }
        try tellCheckpoints()
        guard always || checkpointer.isDue(stepCount: compilation.stepCount, atEpochEnd: atEpochEnd) else { return }
        checkpointer.write(epoch: position.epoch, step: position.step, checkpoint(runner, identity))
    }

    private func tellCheckpoints() throws {
        for report in checkpointer?.takeReports() ?? [] { try emit(.checkpoint(report)) }
    }

    /// Waits for the last checkpoint; a complete run needs none.
    func endCheckpoints() throws {
        guard let checkpointer else { return }
        checkpointer.finish()
        try tellCheckpoints()
        let checkpointing = checkpointer.checkpointing
        if !run.history.isInterrupted, !checkpointing.keepsFile, !checkpointing.isShared {
            checkpointing.storage.remove()
        }
    }
}
