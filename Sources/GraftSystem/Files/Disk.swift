import Foundation

/// What the file system knows about a folder.
package enum Disk {
    /// Bytes that a user may still write where this folder is, or `nil` where the system does not say.
    package static func freeByteCount(at folder: String) -> Int? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : Int(clamping: bytes)
    }

    /// The bytes of a file, 0 where there is none.
    package static func byteCount(ofFileAt path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Makes a folder and those above it.
    package static func makeFolder(_ path: String) throws(GraftError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw GraftError(.file, "cannot make the folder \(path); choose another one", cause: error)
        }
    }

    /// A size for people: `1.2 GB`.
    package static func text(byteCount: Int) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var (value, unit) = (Double(byteCount), 0)
        while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
        return unit == 0 ? "\(byteCount) B" : "\((value * 10).rounded() / 10) \(units[unit])"
    }
}
