internal import CHDF5
import GraftGraph

/// A group of an HDF5 file: a folder of groups and datasets, with attributes.
package struct HDF5Group: Sendable {
    let handle: HDF5Handle
    let file: HDF5OpenFile
    /// Its path in the file, without a slash in front; empty for the root.
    package let name: String

    /// Whether something of this name is here, whatever its kind.
    package func contains(_ path: String) -> Bool {
        var exists = false
        HDF5Library.quietly {
            var prefix = ""
            for component in path.split(separator: "/") {
                prefix += prefix.isEmpty ? component : "/" + component
                exists = H5Lexists(handle.id, prefix, 0) > 0
                if !exists { return }
            }
        }
        return exists
    }

    /// The group of this name; `path` may lead through several.
    ///
    /// - Throws: `.format` where it is missing, no group, or reached by a soft or external link.
    package func group(_ path: String) throws(GraftError) -> HDF5Group {
        try HDF5Library.calls { () throws(GraftError) in
            var current = self
            for component in try components(of: path) {
                let object = try current.open(component, expecting: H5I_GROUP)
                current = HDF5Group(handle: object, file: file, name: current.childName(component))
            }
            return current
        }
    }

    /// The dataset of this name; `path` may lead through groups.
    ///
    /// - Throws: `.format` where it is missing, no dataset, reached by a soft or external link, or of a kind or size
    ///   that Graft does not read (see ``HDF5Dataset``).
    package func dataset(_ path: String) throws(GraftError) -> HDF5Dataset {
        try HDF5Library.calls { () throws(GraftError) in
            let parts = try components(of: path)
            let parent = try group(parts.dropLast().joined(separator: "/"))
            let last = parts[parts.count - 1]
            let object = try parent.open(last, expecting: H5I_DATASET)
            return try HDF5Dataset(handle: object, file: file, name: parent.childName(last))
        }
    }

    /// The names of what is in the group, sorted.
    package func children() throws(GraftError) -> [String] {
        try HDF5Library.calls { () throws(GraftError) in
            var information = H5G_info_t()
            try HDF5Library.check(H5Gget_info(handle.id, &information), "\(place) is damaged")
            guard information.nlinks <= Self.childLimit else {
                throw GraftError(
                    .format, "\(place) has \(information.nlinks) members; at most \(Self.childLimit) are read")
            }
            var names: [String] = []
            for index in 0..<information.nlinks { names.append(try childName(at: index)) }
            return names
        }
    }

    /// Where this is, for messages.
    var place: String { name.isEmpty ? file.path : "\(file.path): \(name)" }

    func childName(_ child: String) -> String { name.isEmpty ? child : name + "/" + child }

    /// Ten times the layers of the largest published network; a real file is far below.
    private static let childLimit: UInt64 = 100_000

    private func childName(at index: hsize_t) throws(GraftError) -> String {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = H5Lget_name_by_idx(handle.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, &bytes, bytes.count, 0)
        try HDF5Library.check(count, "\(place) is damaged")
        guard count < bytes.count else {
            throw GraftError(.format, "\(place) has a member with a name of \(count) bytes")
        }
        return String(decoding: bytes.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private func components(of path: String) throws(GraftError) -> [String] {
        if path.isEmpty { return [] }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) }) else {
            throw GraftError(.format, "\(place): \"\(path)\" is not a valid path inside an HDF5 file")
        }
        return parts
    }

    /// Opens a member by its hard link. Soft links could lead in circles and external ones out of the file; Keras
    /// writes neither, and refuses both.
    private func open(_ child: String, expecting kind: H5I_type_t) throws(GraftError) -> HDF5Handle {
        let word = kind == H5I_GROUP ? "group" : "dataset"
        switch graft_h5_link_kind(handle.id, child) {
        case 0: break
        case -1:
            _ = HDF5Library.takeMessage()
            throw GraftError(.format, "\(place) has no \(word) \"\(child)\"")
        case 1: throw GraftError(.format, "\(place): \"\(child)\" is a soft link; Graft follows no links")
        default: throw GraftError(.format, "\(place): \"\(child)\" is a link out of the file; Graft follows no links")
        }
        let object = try HDF5Handle(
            graft_h5_open_object(handle.id, child), "\(place) is damaged: \"\(child)\" cannot be opened")
        guard H5Iget_type(object.id) == kind else {
            throw GraftError(.format, "\(place): \"\(child)\" should be a \(word) and is something else")
        }
        return object
    }
}
