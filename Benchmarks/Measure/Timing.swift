import CKernels
import Foundation

/// Collects the times of steps that somebody else drives.
final class StepClock {
    private(set) var samples: [Double] = []
    private var last = graft_seconds()

    /// A step begins now; the time before belongs to none.
    func start() { last = graft_seconds() }

    /// A step is done.
    func mark() {
        let now = graft_seconds()
        samples.append(now - last)
        last = now
    }
}

/// Repeats `body` until `seconds` have passed and at least `least` times, and returns the time of each.
func samples(for seconds: Double, least: Int = 5, _ body: () throws -> Void) rethrows -> [Double] {
    let clock = StepClock()
    let end = graft_seconds() + seconds
    while clock.samples.count < least || graft_seconds() < end {
        clock.start()
        try body()
        clock.mark()
    }
    return clock.samples
}

/// The middle value; of two the lower.
func median(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : values.sorted()[(values.count - 1) / 2]
}

/// Prints a JSON object on a line of its own.
func report(_ values: [String: Any]) throws {
    let data = try JSONSerialization.data(withJSONObject: values, options: [.sortedKeys])
    print(String(decoding: data, as: UTF8.self))
}
