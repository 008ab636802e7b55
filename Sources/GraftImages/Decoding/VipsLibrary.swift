internal import CVips
import GraftGraph

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The one libvips of this process: started at the first image that needs it, which takes about 30 ms
/// (100 ms where its libraries are not in memory yet). JPEG and BMP do not need it.
///
/// libvips keeps its error texts in one buffer for all threads. Calls therefore run side by side under a shared lock, and
/// a call that fails is repeated alone, so that its text is its own.
///
/// Sendable because its only state is a lock.
final class VipsLibrary: @unchecked Sendable {
    private static let shared = VipsLibrary()

    /// Such as `8.14.1`; needs no start.
    static let versionText = "\(vips_version(0)).\(vips_version(1)).\(vips_version(2))"

    private let hasStarted: Bool
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    private init() {
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_rwlock_t())
        pthread_rwlock_init(lock, nil)
        hasStarted = graft_vips_start() == 0
    }

    /// Runs `call`, which returns `nil` where libvips failed.
    static func perform<Result>(_ call: () -> Result?) throws(GraftError) -> Result {
        guard shared.hasStarted else {
            throw GraftError(.image, "libvips could not be started: \(shared.takeErrorText())")
        }
        if let result = shared.locked(pthread_rwlock_rdlock, call) { return result }
        let (result, text) = shared.locked(pthread_rwlock_wrlock) {
            vips_error_clear()
            return (call(), shared.takeErrorText())
        }
        guard let result else { throw GraftError(.image, text) }
        return result
    }

    private func locked<Result>(
        _ take: (UnsafeMutablePointer<pthread_rwlock_t>) -> Int32, _ body: () -> Result
    ) -> Result {
        _ = take(lock)
        defer { pthread_rwlock_unlock(lock) }
        return body()
    }

    /// The text of what went wrong, on one line; the buffer is empty afterwards.
    private func takeErrorText() -> String {
        let text = String(cString: vips_error_buffer())
        vips_error_clear()
        let lines = text.split(separator: "\n").map { $0.replacing("VipsForeignLoad: ", with: "") }
        return lines.isEmpty ? "libvips gave no reason" : lines.prefix(2).joined(separator: "; ")
    }
}
