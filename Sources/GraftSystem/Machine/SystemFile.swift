import Foundation

/// The text of a file that the system makes up as it is read, such as those in `/proc`.
///
/// `String(contentsOfFile:)` takes the first piece that is shorter than it asked for as the end, and loses the rest.
enum SystemFile {
    /// `nil` where there is none, or it may not be read.
    static func text(at path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        var bytes = Data()
        do {
            while let piece = try file.read(upToCount: 1 << 16), !piece.isEmpty { bytes += piece }
        } catch {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
