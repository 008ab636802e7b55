import Foundation
import Graft
import Synchronization

/// A project: a folder with a folder a class, as `graft train` takes it, so that command and page can take turns.
///
/// What a page names is looked up among what lies there; nothing else is opened. Nothing is deleted: what is removed lies in
/// `.graft-removed`, which training passes over.
final class Project: Sendable {
    struct Class: Equatable {
        let name: String
        /// File names, sorted.
        let images: [String]
    }

    /// As it was given.
    let folder: String
    /// Where `graft train FOLDER` writes its model: in the current folder.
    let modelPath: String
    /// One change at a time.
    private let changes = Mutex(())

    static let removedFolder = ".graft-removed"
    private static let mostClasses = 1000

    /// Makes the folder where it is not there.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be made, or is a file.
    init(folder: String) throws(GraftError) {
        self.folder = folder
        let name = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
        modelPath = (["", "/", ".", ".."].contains(name) ? "model" : name) + ".keras"
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw GraftError(.file, "\(folder) is no folder and cannot be made one: \(error.localizedDescription)")
        }
    }

    /// Where the class folders are: of a folder that is divided into parts, those of training.
    private var root: String {
        for name in ["train", "training"] where !Self.folders(in: "\(folder)/\(name)").isEmpty {
            return "\(folder)/\(name)"
        }
        return folder
    }

    /// The classes with their images.
    var classes: [Class] {
        let root = root
        return Self.folders(in: root).map { name in
            let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(name)")) ?? []
            return Class(name: name, images: files.filter(ProjectNames.isImage).sorted { Self.precedes($0, $1) })
        }
    }

    private static func folders(in path: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return entries.filter { name in
            var isFolder: ObjCBool = false
            return !name.hasPrefix(".")
                && FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
                && isFolder.boolValue
        }.sorted { precedes($0, $1) }.prefix(mostClasses).map(\.self)
    }

    private static func precedes(_ one: String, _ other: String) -> Bool {
        one.utf8.lexicographicallyPrecedes(other.utf8)
    }

    private static func areSame(_ one: String, _ other: String) -> Bool { Array(one.utf8) == Array(other.utf8) }

    // MARK: Looking up

    /// The path of a class that is there.
    ///
    /// - Throws: 404 for another.
    private func path(ofClass name: String) throws(Refusal) -> String {
        let root = root
        guard let found = Self.folders(in: root).first(where: { Self.areSame($0, name) }) else {
            throw .notFound("there is no class '\(name)'")
        }
        return "\(root)/\(found)"
    }

    /// The path of an image that is there.
    ///
    /// - Throws: 404 for another.
    func path(ofImage image: String, inClass name: String) throws(Refusal) -> String {
        let folder = try path(ofClass: name)
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        guard let found = files.first(where: { Self.areSame($0, image) }), ProjectNames.isImage(found) else {
            throw .notFound("there is no image '\(image)' in '\(name)'")
        }
        return "\(folder)/\(found)"
    }

    // MARK: Changes

    /// A new class, without images.
    func addClass(_ text: String) throws {
        let name = try ProjectNames.className(text)
        try change {
            try checkIsNew(name)
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: false)
        }
    }

    func renameClass(_ old: String, to text: String) throws {
        let name = try ProjectNames.className(text)
        try change {
            let path = try path(ofClass: old)
            guard !Self.areSame(old, name) else { return }
            try checkIsNew(name)
            try FileManager.default.moveItem(atPath: path, toPath: "\(root)/\(name)")
        }
    }

    private func checkIsNew(_ name: String) throws(Refusal) {
        let known = Self.folders(in: root)
        // Folders whose names differ in case alone are one on some systems.
        guard !known.contains(where: { $0.lowercased() == name.lowercased() }) else {
            throw Refusal(.conflict, "there is a class '\(name)' already")
        }
        guard known.count < Self.mostClasses else { throw Refusal(.conflict, "more than \(Self.mostClasses) classes") }
    }

    func removeClass(_ name: String) throws {
        try change {
            let path = try path(ofClass: name)
            try FileManager.default.moveItem(atPath: path, toPath: try removed(name))
        }
    }

    /// Adds an image; one that the class has already stays once.
    ///
    /// - Returns: what it is called, and whether it is new.
    func addImage(_ bytes: [UInt8], named text: String, toClass name: String) throws -> (name: String, isNew: Bool) {
        let wanted = ProjectNames.fileName(text)
        return try change {
            let folder = try path(ofClass: name)
            let file = Self.free(wanted, in: folder, for: bytes)
            guard !file.isThere else { return (file.name, false) }
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(file.name)"), options: .atomic)
            return (file.name, true)
        }
    }

    /// A name that is free, or that of a file with these bytes: `one.jpg`, `one-2.jpg`, …
    private static func free(_ name: String, in folder: String, for bytes: [UInt8]) -> (name: String, isThere: Bool) {
        let stem = URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent
        let ending = URL(fileURLWithPath: name).pathExtension
        var number = 1
        while true {
            let candidate = number == 1 ? name : "\(stem)-\(number).\(ending)"
            let path = "\(folder)/\(candidate)"
            guard FileManager.default.fileExists(atPath: path) else { return (candidate, false) }
            let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
            if size == bytes.count, let old = try? Data(contentsOf: URL(fileURLWithPath: path)),
                old.elementsEqual(bytes)
            {
                return (candidate, true)
            }
            number += 1
        }
    }

    func removeImage(_ image: String, ofClass name: String) throws {
        try change {
            let path = try path(ofImage: image, inClass: name)
            try FileManager.default.moveItem(atPath: path, toPath: try removed(image))
        }
    }

    func moveImage(_ image: String, ofClass name: String, to other: String) throws {
        try change {
            let path = try path(ofImage: image, inClass: name)
            let target = try self.path(ofClass: other)
            guard !Self.areSame(name, other) else { return }
            let file = Self.free(image, in: target, for: [])
            try FileManager.default.moveItem(atPath: path, toPath: "\(target)/\(file.name)")
        }
    }

    /// Where something that is removed goes.
    private func removed(_ name: String) throws -> String {
        let place = "\(folder)/\(Self.removedFolder)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        return "\(place)/\(UUID().uuidString.prefix(8))-\(name)"
    }

    private func change<Value: Sendable>(_ work: () throws -> Value) throws -> Value {
        try changes.withLock { _ in
            do { return try work() } catch let refusal as Refusal { throw refusal } catch {
                throw Refusal(.conflict, "the folder could not be changed: \(error.localizedDescription)")
            }
        }
    }
}
