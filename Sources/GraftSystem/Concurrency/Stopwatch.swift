/// Measures wall time.
package struct Stopwatch {
    private let start = ContinuousClock.now

    /// One that begins now.
    package init() {}

    /// Seconds since it was made.
    package var seconds: Double {
        let parts = start.duration(to: .now).components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }
}
