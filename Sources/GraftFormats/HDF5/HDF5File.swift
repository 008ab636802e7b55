internal import CHDF5
import GraftGraph

/// An HDF5 file, open for reading or being written.
///
/// Files are untrusted. Before the C library sees one, its superblock is compared with the file's size; after that only
/// hard links inside the file are followed, and a dataset's declared size is compared with its stored size before
/// anything is allocated. What remains is the C library's own reading of damaged structures: see `HDF5Superblock` and
/// Documentation for what that can and cannot promise.
package final class HDF5File: Sendable {
    /// The path it was opened with.
    package let path: String
    /// The group that holds everything, `/`.
    package let root: HDF5Group

    /// Opens a file for reading.
    ///
    /// - Throws: `.file` where it is missing or unreadable; `.format` where it is not HDF5, cut short or damaged.
    package init(reading path: String) throws(GraftError) {
        _ = try HDF5Superblock(checking: path)
        self.path = path
        root = try HDF5Library.calls { () throws(GraftError) in
            let access = try HDF5Handle(graft_h5_file_access(), code: .state, "cannot set HDF5's options")
            let file = try HDF5Handle(graft_h5_open(path, access.id), "\(path) is damaged: it cannot be opened")
            let group = try HDF5Handle(H5Gopen2(file.id, "/", 0), "\(path) is damaged: its root group cannot be opened")
            return HDF5Group(handle: group, file: HDF5OpenFile(handle: file, path: path), name: "")
        }
    }

    /// Creates a file, or empties the one that is there.
    ///
    /// - Throws: `.file` where it cannot be created.
    package init(creating path: String) throws(GraftError) {
        self.path = path
        root = try HDF5Library.calls { () throws(GraftError) in
            let access = try HDF5Handle(graft_h5_file_access(), code: .state, "cannot set HDF5's options")
            let file = try HDF5Handle(graft_h5_create(path, access.id), code: .file, "cannot create \(path)")
            let group = try HDF5Handle(H5Gopen2(file.id, "/", 0), code: .file, "cannot write \(path)")
            return HDF5Group(handle: group, file: HDF5OpenFile(handle: file, path: path), name: "")
        }
    }

    /// Writes out what is still in HDF5's buffers and closes the file; groups and datasets of it are of no use afterwards.
    ///
    /// - Throws: `.file` where the disk refuses.
    package func close() throws(GraftError) {
        try HDF5Library.calls { () throws(GraftError) in
            let flushed = H5Fflush(root.file.handle.id, H5F_SCOPE_GLOBAL)
            let failure = flushed < 0 ? HDF5Library.failure(.file, "cannot write \(path)") : nil
            root.handle.release()
            root.file.handle.release()
            if let failure { throw failure }
        }
    }
}

/// The open file that groups and datasets keep alive.
final class HDF5OpenFile: Sendable {
    let handle: HDF5Handle
    let path: String

    init(handle: HDF5Handle, path: String) {
        self.handle = handle
        self.path = path
    }
}
