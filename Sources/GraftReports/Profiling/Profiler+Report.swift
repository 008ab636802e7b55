import GraftTraining

extension Profiler {
    /// The table of this run.
    ///
    /// - Parameter limits: what shares are of; they are left out without.
    public func report(limits: MachineLimits? = nil) -> ProfileReport {
        ProfileReport(timeline.steps, limits: limits)
    }

    /// Writes all spans in Chrome's trace-event format, which Perfetto opens (https://ui.perfetto.dev).
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be written.
    public func writeTrace(to path: String) throws {
        try AtomicFile.write(ProfileTrace(timeline).json, to: path)
    }
}
