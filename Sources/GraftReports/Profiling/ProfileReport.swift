import Foundation

/// Where the time of a run's plans went: by operation and by layer, each held against what the machine can do.
public struct ProfileReport: Sendable, CustomStringConvertible {
    /// What was taken together.
    public struct Row: Sendable, Hashable {
        /// An operation with its kernel, or a layer.
        public var name: String
        /// How often any of its steps ran.
        public var count = 0
        /// The time of all of them.
        public var seconds = 0.0
        /// Additions and multiplications of all of them.
        public var flops = 0.0
        /// Bytes read and written by all of them.
        public var bytes = 0.0
        /// The time that the machine's limits leave for it at least; 0 where they are not known.
        public var limitSeconds = 0.0

        /// The share of the limit that it reaches. Above 1 where arrays come from a cache, which is faster than memory.
        public var shareOfLimit: Double { seconds > 0 ? limitSeconds / seconds : 0 }
    }

    /// A row for each operation and kernel, the longest first.
    public let operations: [Row]
    /// A row for each layer, the longest first.
    public let layers: [Row]
    /// The time of all steps.
    public let seconds: Double
    /// What the shares are of.
    public let limits: MachineLimits?

    /// The report on some steps.
    public init(_ steps: [StepProfile], limits: MachineLimits? = nil) {
        self.limits = limits
        operations = Self.rows(steps, limits) { "\($0.operation)  \($0.implementation)" }
        layers = Self.rows(steps, limits) { $0.label.isEmpty ? "(no layer)" : $0.label }
        seconds = steps.reduce(0) { $0 + $1.seconds }
    }

    private static func rows(
        _ steps: [StepProfile], _ limits: MachineLimits?, name: (StepProfile) -> String
    ) -> [Row] {
        var rows: [String: Row] = [:]
        for step in steps {
            let key = name(step)
            var row = rows[key] ?? Row(name: key)
            row.count += step.count
            row.seconds += step.seconds
            row.flops += Double(step.flopCount) * Double(step.count)
            row.bytes += Double(step.byteCount) * Double(step.count)
            if let limits { row.limitSeconds += step.seconds(at: limits) }
            rows[key] = row
        }
        return rows.values.sorted { ($0.seconds, $1.name) > ($1.seconds, $0.name) }
    }

    /// The most layers that ``description`` lists.
    public static let listedLayers = 25

    /// Both tables as text.
    public var description: String {
        var lines = [String(format: "%.3f s in plans", seconds)]
        if let limits {
            let narrow = limits.bfloat16FlopsPerSecond.map { String(format: ", %.0f in bfloat16", $0 / 1e9) } ?? ""
            lines.append(
                String(format: "limits measured now: %.0f GFLOP/s", limits.flopsPerSecond / 1e9) + narrow
                    + String(format: ", %.1f GB/s; ", limits.bytesPerSecond / 1e9)
                    + "above 100 % where arrays come from a cache")
        }
        lines += table("operation  kernel", operations)
        lines += [""] + table("layer", Array(layers.prefix(Self.listedLayers)))
        let rest = layers.dropFirst(Self.listedLayers)
        if !rest.isEmpty {
            let time = rest.reduce(0) { $0 + $1.seconds }
            lines.append(String(format: "%10.3f  and %d more layers", time, rest.count))
        }
        return lines.joined(separator: "\n")
    }

    private func table(_ title: String, _ rows: [Row]) -> [String] {
        let heading = "   seconds   share   times   GFLOP/s    GB/s" + (limits == nil ? "" : "   limit") + "  " + title
        return [heading]
            + rows.map { row in
                let time = max(row.seconds, 1e-12)
                let figures = String(
                    format: "%10.3f  %5.1f %% %6d  %8.1f  %6.1f", row.seconds, 100 * row.seconds / max(seconds, 1e-12),
                    row.count, row.flops / time / 1e9, row.bytes / time / 1e9)
                let share = limits == nil ? "" : String(format: "  %4.0f %%", 100 * row.shareOfLimit)
                return figures + share + "  " + row.name
            }
    }
}
