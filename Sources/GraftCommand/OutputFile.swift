import Foundation
import Graft

/// Checks before the work begins that its result can be written at the end.
enum OutputFile {
    /// - Throws: `GraftError` with code `file` where the folder does not exist or cannot be written to, or the path is a
    ///   folder.
    ///
    /// - Parameter option: what the messages name.
    static func check(_ path: String, option: String = "--output") throws(GraftError) {
        let manager = FileManager.default
        let folder = (path as NSString).deletingLastPathComponent
        var isFolder: ObjCBool = false
        if manager.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw GraftError(.file, "\(option): \(path) is a folder; give the name of a file")
        }
        let place = folder.isEmpty ? "." : folder
        guard manager.fileExists(atPath: place, isDirectory: &isFolder), isFolder.boolValue else {
            throw GraftError(.file, "\(option): there is no folder \(place); make it first")
        }
        guard manager.isWritableFile(atPath: place) else {
            throw GraftError(.file, "\(option): the folder \(place) cannot be written to; choose another")
        }
    }
}
