import GraftGraph

/// What a weight file is, seen from its first bytes and not from its name.
package enum WeightFileKind: Sendable {
    /// HDF5, as Keras's `.h5`.
    case hdf5
    /// safetensors.
    case safetensors
    /// A zip archive: `.keras`, or PyTorch's `.pth`.
    case zip
    /// Something else, and how it begins.
    case unknown(beginning: String)

    /// Looks at a file.
    ///
    /// - Throws: `.file` where it is missing, a folder or unreadable.
    package init(ofFileAt path: String) throws(GraftError) {
        let head = try FileHead(path: path, count: 24)
        let start = head.bytes
        if start.starts(with: HDF5Superblock.signature) {
            self = .hdf5
        } else if start.starts(with: [0x50, 0x4B]) {
            self = .zip
        } else if start.count > 8, start[8] == UInt8(ascii: "{"), start[4..<8].allSatisfy({ $0 == 0 }) {
            // Four bytes of length are zero: no header is longer than 100 MB.
            self = .safetensors
        } else {
            self = .unknown(beginning: start.isEmpty ? "nothing: it is empty" : head.preview)
        }
    }
}
