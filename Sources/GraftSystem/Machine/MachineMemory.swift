import Foundation

/// The memory of a machine, in bytes.
package struct MachineMemory: Sendable, Equatable {
    /// All there is.
    package let installed: UInt64
    /// What programs may still take without anything being swapped out; `nil` where the system does not say.
    package let available: UInt64?

    /// This machine's.
    package static var current: MachineMemory {
        MachineMemory(
            installed: ProcessInfo.processInfo.physicalMemory,
            meminfo: SystemFile.text(at: "/proc/meminfo") ?? "")
    }

    /// - Parameter meminfo: what Linux's `/proc/meminfo` says, in lines such as `MemAvailable: 123 kB`.
    package init(installed: UInt64, meminfo: String) {
        self.installed = installed
        let line = meminfo.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
        available = kibibytes.flatMap { value in
            let (bytes, isTooLarge) = value.multipliedReportingOverflow(by: 1024)
            return isTooLarge ? nil : bytes
        }
    }
}
