internal import CHDF5
import GraftGraph

extension HDF5Group {
    /// Makes a group inside this one.
    ///
    /// - Throws: `.file` where it exists or the disk refuses.
    package func createGroup(_ child: String) throws(GraftError) -> HDF5Group {
        try HDF5Library.calls { () throws(GraftError) in
            let group = try HDF5Handle(
                graft_h5_create_group(handle.id, child), code: .file, "cannot write the group \"\(child)\" in \(place)")
            return HDF5Group(handle: group, file: file, name: childName(child))
        }
    }

    /// The group at a path, made with all that lead to it where they are not there yet.
    package func makeGroup(_ path: String) throws(GraftError) -> HDF5Group {
        var current = self
        for component in path.split(separator: "/").map(String.init) {
            current = current.contains(component) ? try current.group(component) : try current.createGroup(component)
        }
        return current
    }

    /// Writes a tensor as a dataset of 32-bit floats, in one piece; groups on the way are made.
    ///
    /// - Throws: `.file` where it exists or the disk refuses.
    package func write(_ tensor: Tensor, to path: String) throws(GraftError) {
        try tensor.withUnsafeBuffer { (values) throws(GraftError) in
            try write(
                values.baseAddress.map { UnsafeRawPointer($0) }, shape: tensor.shape, type: graft_h5_float32(),
                storedAs: graft_h5_file_float32(), to: path)
        }
    }

    /// Writes integers as a dataset of 64-bit integers.
    package func write(_ integers: [Int64], shape: Shape, to path: String) throws(GraftError) {
        precondition(integers.count == shape.elementCount, "\(integers.count) numbers do not fill the shape \(shape)")
        try integers.withUnsafeBufferPointer { (values) throws(GraftError) in
            try write(
                values.baseAddress.map { UnsafeRawPointer($0) }, shape: shape, type: graft_h5_int64(),
                storedAs: graft_h5_file_int64(), to: path)
        }
    }

    /// Writes one string as an attribute, of variable length as h5py writes it.
    package func setAttribute(_ attribute: String, _ text: String) throws(GraftError) {
        try HDF5Library.calls { () throws(GraftError) in
            let type = try stringType(size: graft_h5_variable_length())
            let space = try HDF5Handle(H5Screate(H5S_SCALAR), code: .file, "cannot write \(place)")
            let object = try createAttribute(attribute, type: type, space: space)
            try withCString(text) { (pointer) throws(GraftError) in
                var pointer: UnsafePointer<CChar>? = pointer
                try HDF5Library.check(H5Awrite(object.id, type.id, &pointer), code: .file, "cannot write \(place)")
            }
        }
    }

    /// Writes a list of strings as one attribute of fixed-length strings, padded with zeros, as Keras's files hold them.
    ///
    /// - Throws: `.file` where it exists, is larger than HDF5's 64 KB or the disk refuses.
    package func setAttribute(_ attribute: String, _ strings: [String]) throws(GraftError) {
        try HDF5Library.calls { () throws(GraftError) in
            let width = max(1, strings.map(\.utf8.count).max() ?? 1)
            let type = try stringType(size: width)
            var count = hsize_t(strings.count)
            let space = try HDF5Handle(H5Screate_simple(1, &count, nil), code: .file, "cannot write \(place)")
            let object = try createAttribute(attribute, type: type, space: space)
            if strings.isEmpty { return }
            let bytes = strings.flatMap { Array($0.utf8) + [UInt8](repeating: 0, count: width - $0.utf8.count) }
            try HDF5Library.check(H5Awrite(object.id, type.id, bytes), code: .file, "cannot write \(place)")
        }
    }

    /// Writes a list of strings, cut into `name0`, `name1`, … where it is larger than one attribute may be, as Keras's
    /// `save_attributes_to_hdf5_group` cuts it: into the smallest number of nearly equal pieces that all fit.
    ///
    /// - Throws: `.argument` where one string alone is too large; else as ``setAttribute(_:_:)``.
    package func setChunkedAttribute(_ attribute: String, _ strings: [String]) throws(GraftError) {
        let width = max(1, strings.map(\.utf8.count).max() ?? 1)
        guard width <= Self.attributeByteLimit else {
            throw GraftError(
                .argument, "a name of \(width) bytes cannot be kept; at most \(Self.attributeByteLimit) fit")
        }
        if strings.count * width <= Self.attributeByteLimit { return try setAttribute(attribute, strings) }
        let perPiece = Self.attributeByteLimit / width
        let pieceCount = (strings.count + perPiece - 1) / perPiece
        var start = 0
        for piece in 0..<pieceCount {
            let count = strings.count / pieceCount + (piece < strings.count % pieceCount ? 1 : 0)
            try setAttribute("\(attribute)\(piece)", Array(strings[start..<start + count]))
            start += count
        }
    }

    /// Keras's HDF5_OBJECT_HEADER_LIMIT: HDF5 keeps at most 64 KB in an object's header.
    static let attributeByteLimit = 64_512

    private func write(
        _ values: UnsafeRawPointer?, shape: Shape, type: hid_t, storedAs stored: hid_t, to path: String
    ) throws(GraftError) {
        let parts = path.split(separator: "/").map(String.init)
        guard let last = parts.last else { throw GraftError(.argument, "a dataset needs a name") }
        let parent = try makeGroup(parts.dropLast().joined(separator: "/"))
        try HDF5Library.calls { () throws(GraftError) in
            let what = "cannot write \"\(path)\" in \(place)"
            let sizes = shape.dimensions.map(hsize_t.init)
            let space = try HDF5Handle(
                shape.rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.rank), sizes, nil), code: .file,
                what)
            let dataset = try HDF5Handle(
                graft_h5_create_dataset(parent.handle.id, last, stored, space.id), code: .file, what)
            guard let values, shape.elementCount > 0 else { return }
            try HDF5Library.check(graft_h5_write(dataset.id, type, values), code: .file, what)
        }
    }

    private func stringType(size: Int) throws(GraftError) -> HDF5Handle {
        let type = try HDF5Handle(H5Tcopy(graft_h5_c_string()), code: .state, "cannot make an HDF5 type")
        try HDF5Library.check(H5Tset_size(type.id, size), code: .state, "cannot make an HDF5 type")
        try HDF5Library.check(H5Tset_cset(type.id, H5T_CSET_UTF8), code: .state, "cannot make an HDF5 type")
        try HDF5Library.check(H5Tset_strpad(type.id, H5T_STR_NULLPAD), code: .state, "cannot make an HDF5 type")
        return type
    }

    private func createAttribute(
        _ attribute: String, type: HDF5Handle, space: HDF5Handle
    ) throws(GraftError) -> HDF5Handle {
        try HDF5Handle(
            graft_h5_create_attribute(handle.id, attribute, type.id, space.id), code: .file,
            "cannot write the attribute \"\(attribute)\" in \(place)")
    }
}

/// Lends the text as a C string; `String.withCString` passes on no typed errors.
private func withCString(
    _ text: String, _ body: (UnsafePointer<CChar>) throws(GraftError) -> Void
) throws(GraftError) {
    let bytes = text.utf8CString
    try bytes.withUnsafeBufferPointer { (buffer) throws(GraftError) in
        if let base = buffer.baseAddress { try body(base) }
    }
}
