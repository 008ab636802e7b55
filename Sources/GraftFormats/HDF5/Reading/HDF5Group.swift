import GraftGraph

/// A group of an HDF5 file: a folder of groups and arrays, with attributes.
package struct HDF5Group: Sendable {
    let object: HDF5Object
    let objects: HDF5Objects
    private let members: [String: HDF5Link]
    /// Its path in the file, without a slash in front; empty for the root.
    package let name: String

    init(_ object: HDF5Object, in objects: HDF5Objects, name: String) throws(GraftError) {
        guard let members = object.members else {
            throw GraftError(.format, "\(objects.source.path): \"\(name)\" should be a group and is something else")
        }
        (self.object, self.objects, self.members, self.name) = (object, objects, members, name)
    }

    /// Whether something of this name is here, whatever its kind; `path` may lead through groups.
    package func contains(_ path: String) -> Bool {
        guard let parts = try? components(of: path), let last = parts.last else { return false }
        let parent = try? group(parts.dropLast().joined(separator: "/"))
        return parent?.members[last] != nil
    }

    /// The group of this name; `path` may lead through several.
    ///
    /// - Throws: `.format` where it is missing, no group, or reached by a soft or external link.
    package func group(_ path: String) throws(GraftError) -> HDF5Group {
        var current = self
        for component in try components(of: path) {
            let object = try current.open(component, "group")
            current = try HDF5Group(object, in: objects, name: current.childName(component))
        }
        return current
    }

    /// The array of this name; `path` may lead through groups.
    ///
    /// - Throws: `.format` where it is missing, no array, reached by a soft or external link, or of a kind or size that
    ///   Graft does not read (see ``HDF5Dataset``).
    package func dataset(_ path: String) throws(GraftError) -> HDF5Dataset {
        let parts = try components(of: path)
        guard let last = parts.last else { throw GraftError(.argument, "\(place): an array needs a name") }
        let parent = try group(parts.dropLast().joined(separator: "/"))
        let object = try parent.open(last, "dataset")
        return try HDF5Dataset(object, in: objects, name: parent.childName(last))
    }

    /// How many things are in the group.
    package var memberCount: Int { members.count }

    /// The names of what is in the group, sorted.
    package func children() -> [String] { members.keys.sorted() }

    /// Where this is, for messages.
    var place: String { name.isEmpty ? objects.source.path : "\(objects.source.path): \(name)" }

    private func childName(_ child: String) -> String { name.isEmpty ? child : name + "/" + child }

    private func components(of path: String) throws(GraftError) -> [String] {
        if path.isEmpty { return [] }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw GraftError(.format, "\(place): \"\(path)\" is not a valid path inside an HDF5 file")
        }
        return parts
    }

    /// Opens a member by its hard link. Soft links could lead in circles and external ones out of the file; Keras
    /// writes neither, and refuses both.
    private func open(_ child: String, _ kind: String) throws(GraftError) -> HDF5Object {
        switch members[child] {
        case .object(let address): return try objects.object(at: address)
        case .soft: throw GraftError(.format, "\(place): \"\(child)\" is a soft link; Graft follows no links")
        case .external:
            throw GraftError(.format, "\(place): \"\(child)\" is a link out of the file; Graft follows no links")
        case nil: throw GraftError(.format, "\(place) has no \(kind) \"\(child)\"")
        }
    }
}
