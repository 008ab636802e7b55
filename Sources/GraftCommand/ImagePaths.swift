import Foundation
import Graft

/// The images that arguments name: files, folders, tables, and `-` for a list on standard input.
struct ImagePaths {
    /// In the order of the arguments.
    private(set) var paths: [String] = []
    /// What folders and tables hold besides.
    private(set) var problems: [(argument: String, problem: ImageProblem)] = []

    /// The most bytes of a list.
    private static let maximumByteCount = 1 << 29

    /// - Throws: `GraftError` with code `file` or `data` where a folder, a table or the list cannot be read.
    init(_ arguments: [String], rule: ImageRule) throws {
        for argument in arguments {
            if argument == "-" {
                paths += try Self.list(FileHandle.standardInput)
            } else if ImageTable.isTable(argument) {
                let listing = try ImageListing(at: argument)
                paths += listing.entries.map(\.path)
                problems += listing.problems.map { (argument, $0) }
            } else if Self.isFolder(argument) {
                let found = try ImageFiles(below: argument, rule: rule)
                paths += found.paths
                problems += found.problems.map { (argument, $0) }
            } else {
                paths.append(argument)
            }
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// The paths of a list: a line each, or with a zero byte after each, as `find -print0` writes them.
    ///
    /// - Throws: `GraftError` with code `format` where it is no text, has no end, or names nothing.
    static func list(_ input: FileHandle) throws(GraftError) -> [String] {
        var bytes = Data()
        do {
            while let part = try input.read(upToCount: 1 << 20), !part.isEmpty {
                bytes += part
                guard bytes.count <= maximumByteCount else {
                    throw GraftError(
                        .format, "-: the list has more than \(maximumByteCount) bytes; name fewer images at once")
                }
            }
        } catch let error as GraftError {
            throw error
        } catch {
            throw GraftError(.file, "-: standard input cannot be read", cause: error)
        }
        let end: UInt8 = bytes.contains(0) ? 0 : 0x0A
        var paths: [String] = []
        for var line in bytes.split(separator: end) {
            if end != 0, line.last == 0x0D { line = line.dropLast() }
            guard !line.isEmpty else { continue }
            guard let path = String(validating: line, as: UTF8.self) else {
                throw GraftError(.format, "-: the path \(line.prefix(80).printable) is not UTF-8")
            }
            paths.append(path)
        }
        guard !paths.isEmpty else {
            throw GraftError(
                .data, "-: standard input names no image; expected a path a line, such as find prints them")
        }
        return paths
    }
}
