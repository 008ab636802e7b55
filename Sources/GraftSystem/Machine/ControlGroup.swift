import Foundation

/// What a container or a service manager lets this process have (Linux's control groups, versions 1 and 2).
package struct ControlGroup: Sendable, Equatable {
    /// The most bytes of memory that it and its neighbours in the group may take; `nil` without a limit.
    package let memoryLimit: UInt64?
    /// The processors that it may use at a time, on average; may be a fraction. `nil` without a limit.
    package let processorLimit: Double?

    /// This process's; without limits where the system has no control groups.
    package static var current: ControlGroup {
        ControlGroup(
            membership: SystemFile.text(at: "/proc/self/cgroup") ?? "",
            root: "/sys/fs/cgroup")
    }

    /// - Parameters:
    ///   - membership: what `/proc/self/cgroup` says: a line `number:controllers:path` for each hierarchy.
    ///   - root: where the hierarchies are mounted.
    package init(membership: String, root: String) {
        var memory: [UInt64] = []
        var processors: [Double] = []
        for line in membership.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let controllers = parts[1].split(separator: ",")
            let mounts = controllers.isEmpty ? [root, root + "/unified"] : controllers.map { "\(root)/\($0)" }
            for folder in mounts.flatMap({ Self.folders(from: String(parts[2]), in: $0) }) {
                memory += ["memory.max", "memory.limit_in_bytes"].compactMap { Self.memoryLimit(in: "\(folder)/\($0)") }
                processors += [Self.quota(in: folder), Self.oldQuota(in: folder)].compactMap(\.self)
            }
        }
        (memoryLimit, processorLimit) = (memory.min(), processors.min())
    }

    /// The group's folder and those above it, whose limits hold too. Inside a container the group may be mounted as the root.
    private static func folders(from path: String, in mount: String) -> [String] {
        var folders = [mount]
        for part in path.split(separator: "/") where part != ".." { folders.append("\(folders.last ?? mount)/\(part)") }
        return folders
    }

    /// Version 1 says “none” with a number near 2⁶³.
    private static func memoryLimit(in file: String) -> UInt64? {
        text(of: file).flatMap { UInt64($0) }.flatMap { $0 < 1 << 60 ? $0 : nil }
    }

    /// Version 2: `quota period` in microseconds, or `max period`.
    private static func quota(in folder: String) -> Double? {
        let parts = (text(of: folder + "/cpu.max") ?? "").split(separator: " ")
        guard parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]), period > 0 else {
            return nil
        }
        return quota / period
    }

    /// Version 1: a quota of −1 is none.
    private static func oldQuota(in folder: String) -> Double? {
        guard let quota = text(of: folder + "/cpu.cfs_quota_us").flatMap({ Double($0) }), quota > 0,
            let period = text(of: folder + "/cpu.cfs_period_us").flatMap({ Double($0) }), period > 0
        else { return nil }
        return quota / period
    }

    private static func text(of file: String) -> String? {
        SystemFile.text(at: file)?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
