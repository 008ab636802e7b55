import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// How often a download is tried again after a fault that may pass, and how long it waits before.
struct RetryPolicy: Sendable {
    /// Seconds before the second try, the third and so on.
    var pauses: [Double] = [1, 2, 4, 8]
    /// The longest pause that a server may ask for with `Retry-After`, in seconds; a longer one ends the download.
    var longestPause: Double = 60
    /// What waits.
    var sleep: @Sendable (Double) -> Void = { Thread.sleep(forTimeInterval: $0) }

    /// How long to wait after a failure; `nil` where another try would fail alike or there is none left.
    ///
    /// - Parameter tries: how many tries brought nothing, this one included.
    func pause(after error: any Error, tries: Int) -> Double? {
        guard pauses.indices.contains(tries - 1) else { return nil }
        switch error {
        case let refusal as ServerRefusal:
            guard refusal.mayPass else { return nil }
            let asked = refusal.pause ?? 0
            return asked <= longestPause ? max(asked, pauses[tries - 1]) : nil
        case let error as URLError:
            // A line that breaks, or says nothing, may come back; on Linux such faults have no code of their own.
            let passing: Set<URLError.Code> = [
                .networkConnectionLost, .timedOut, .badServerResponse, .cannotParseResponse, .unknown,
            ]
            return passing.contains(error.code) ? pauses[tries - 1] : nil
        default: return nil
        }
    }
}

/// A server's answer that is no file.
struct ServerRefusal: Error, CustomStringConvertible {
    /// The status of the answer, as HTTP numbers them.
    let status: Int
    /// The seconds that it asked to wait, where it did.
    let pause: Double?

    var description: String { "the server answered with status \(status)" }

    /// Whether it may answer otherwise later: it was slow, busy, or had a fault of its own.
    var mayPass: Bool { [408, 425, 429].contains(status) || (500..<600).contains(status) && status != 501 }
}
