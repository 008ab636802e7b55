/// Is told when a batch was read, for a profile of a run.
package protocol ReadProfiler: Sendable {
    /// The seconds of its clock.
    var now: Double { get }
    /// Takes down a read that began at a time and ends now.
    func addRead(_ activity: String, since start: Double)
}
