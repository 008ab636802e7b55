import Foundation
import GraftGraph

/// Text files that are there whole or not at all.
package enum WholeFile {
    /// Writes a temporary file beside the place and renames it.
    ///
    /// - Throws: `GraftError` with code `file` for a folder that is not there, a full disk and the like; what stood there
    ///   before stays.
    package static func write(_ text: String, to path: String) throws(GraftError) {
        let temporary = path + ".\(UInt32.random(in: 0...UInt32.max)).tmp"
        do {
            var bytes = Array(text.utf8)
            let file = try File.creating(temporary)
            try bytes.withUnsafeMutableBytes { try file.write(UnsafeRawBufferPointer($0), at: 0) }
            guard rename(temporary, path) == 0 else { throw File.failure("cannot write", path, errno) }
        } catch {
            unlink(temporary)
            throw (error as? GraftError) ?? GraftError(.file, "cannot write \(path)", cause: error)
        }
    }
}
