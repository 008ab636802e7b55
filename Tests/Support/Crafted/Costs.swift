#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// What something took of this process: in one of its own, as other tests take memory too.
package struct Costs {
    /// How many bytes of memory more than before were in use at the most; 0 where the system does not tell.
    package let byteCount: Int
    /// For how many seconds the process kept processors: what other programs do meanwhile is not in them.
    package let seconds: Double

    /// Does something and looks at what it takes.
    package init(of body: () throws -> Void) rethrows {
        // Linux forgets the peak so far.
        Self.write("5", to: "/proc/self/clear_refs")
        let (before, start) = (Self.kibibytes("VmRSS:"), Self.processorTime)
        try body()
        (byteCount, seconds) = (max(0, Self.kibibytes("VmHWM:") - before) * 1024, Self.processorTime - start)
    }

    /// Whether they are those of a crafted file that is refused in time: 64 MB and twice its size, and a second.
    ///
    /// Builds for debugging, which take ten times as long, get ten.
    package func arePermitted(forFileOf fileByteCount: Int) -> Bool {
        byteCount <= 64_000_000 + 2 * fileByteCount && seconds <= (Self.isDebugBuild ? 10 : 1)
    }

    private static var isDebugBuild: Bool {
        var isDebugBuild = false
        assert(
            {
                isDebugBuild = true
                return true
            }())
        return isDebugBuild
    }

    private static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func write(_ text: String, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = text.withCString { systemWrite(descriptor, $0, text.utf8.count) }
        close(descriptor)
    }

    /// A line of `/proc/self/status`.
    private static func kibibytes(_ name: String) -> Int {
        let descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = read(descriptor, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split { " \t".contains($0) }.dropFirst().first.flatMap { Int($0) } ?? 0
    }
}

/// The system's, which has the name of a method above.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafePointer<CChar>, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
