import Foundation
import Synchronization

/// What was done so far, as Prometheus reads it (text format 0.0.4) and as the protocol's statistics have it.
///
/// Labels are routes, status codes and models that the server knows, never what clients send, so that memory does not grow.
final class Metrics: Sendable {
    /// Upper bounds in seconds.
    static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    struct Histogram {
        private(set) var counts = [Int](repeating: 0, count: Metrics.bounds.count + 1)
        private(set) var sum = 0.0
        var count: Int { counts.reduce(0, +) }

        mutating func add(_ value: Double) {
            counts[Metrics.bounds.firstIndex { value <= $0 } ?? Metrics.bounds.count] += 1
            sum += value
        }
    }

    /// What one model did.
    struct ModelCounts {
        var requests = 0
        var failures = 0
        var images = 0
        var batches = 0
        var computeSeconds = 0.0
        var requestSeconds = 0.0
        var reloads = 0
        var failedReloads = 0
        var last: Date?
    }

    private struct Key: Hashable {
        let label: String
        let status: Int
    }

    private struct State {
        var requests: [Key: Int] = [:]
        var seconds: [String: Histogram] = [:]
        var models: [String: ModelCounts] = [:]
    }

    private let state = Mutex(State())
    private let start = Date.now

    func count(_ label: String, status: Int, seconds: Double) {
        state.withLock { state in
            state.requests[Key(label: label, status: status), default: 0] += 1
            state.seconds[label, default: Histogram()].add(seconds)
        }
    }

    func count(batch: Int, of model: String, seconds: Double) {
        update(model) { counts in
            counts.batches += 1
            counts.images += batch
            counts.computeSeconds += seconds
        }
    }

    /// An inference as a client asked for it.
    func count(inferenceOf model: String, succeeded: Bool, seconds: Double) {
        update(model) { counts in
            counts.requests += succeeded ? 1 : 0
            counts.failures += succeeded ? 0 : 1
            counts.requestSeconds += seconds
            counts.last = .now
        }
    }

    func count(reloadOf model: String, succeeded: Bool) {
        update(model) { counts in
            counts.reloads += succeeded ? 1 : 0
            counts.failedReloads += succeeded ? 0 : 1
        }
    }

    private func update(_ model: String, _ change: (inout ModelCounts) -> Void) {
        state.withLock { change(&$0.models[model, default: ModelCounts()]) }
    }

    func counts(of model: String) -> ModelCounts { state.withLock { $0.models[model] ?? ModelCounts() } }

    /// The page that Prometheus reads.
    ///
    /// - Parameters:
    ///   - waiting: images that are taken and not answered.
    ///   - held: bytes of bodies.
    func text(waiting: Int, held: Int) -> String {
        let state = state.withLock(\.self)
        var lines: [String] = []
        func family(_ name: String, _ type: String, _ help: String, _ samples: [String]) {
            lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"] + samples
        }
        let requests = state.requests.sorted { ($0.key.label, $0.key.status) < ($1.key.label, $1.key.status) }
        family(
            "graft_http_requests_total", "counter", "Requests by route and status.",
            requests.map { "graft_http_requests_total{route=\"\($0.label)\",status=\"\($0.status)\"} \($1)" })
        family(
            "graft_http_request_duration_seconds", "histogram", "Seconds from the head of a request to its answer.",
            state.seconds.sorted { $0.key < $1.key }.flatMap(Self.samples))
        family(
            "graft_images_waiting", "gauge", "Images that are taken and not answered.",
            ["graft_images_waiting \(waiting)"])
        family("graft_body_bytes", "gauge", "Bytes of bodies that are held.", ["graft_body_bytes \(held)"])
        let models = state.models.sorted { $0.key < $1.key }
        func each(_ name: String, _ help: String, _ value: (ModelCounts) -> String) {
            family(
                name, "counter", help, models.map { "\(name){model=\"\(Self.escaped($0.key))\"} \(value($0.value))" })
        }
        each("graft_images_total", "Images that were computed.") { "\($0.images)" }
        each("graft_batches_total", "Batches that were computed.") { "\($0.batches)" }
        each("graft_compute_seconds_total", "Seconds of computing.") { "\($0.computeSeconds)" }
        each("graft_inference_failures_total", "Inferences that were not answered.") { "\($0.failures)" }
        each("graft_model_reloads_total", "Reloads of a changed file.") { "\($0.reloads)" }
        each("graft_model_reload_failures_total", "Changed files that could not be read.") { "\($0.failedReloads)" }
        family(
            "process_resident_memory_bytes", "gauge", "Memory of the process.",
            ProcessMemory.residentBytes.map { ["process_resident_memory_bytes \($0)"] } ?? [])
        family(
            "process_start_time_seconds", "gauge", "When the process started.",
            ["process_start_time_seconds \(start.timeIntervalSince1970)"])
        return lines.joined(separator: "\n") + "\n"
    }

    private static func samples(_ label: String, _ histogram: Histogram) -> [String] {
        let name = "graft_http_request_duration_seconds"
        var total = 0
        var lines: [String] = []
        for (position, count) in histogram.counts.enumerated() {
            total += count
            let bound = position < bounds.count ? "\(bounds[position])" : "+Inf"
            lines.append("\(name)_bucket{route=\"\(label)\",le=\"\(bound)\"} \(total)")
        }
        return lines + [
            "\(name)_sum{route=\"\(label)\"} \(histogram.sum)", "\(name)_count{route=\"\(label)\"} \(total)",
        ]
    }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "\n", with: "\\n")
    }
}

enum ProcessMemory {
    /// `nil` where the system does not say.
    static var residentBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
