internal import CHDF5
import Foundation
import GraftGraph

extension HDF5Group {
    /// Whether there is an attribute of this name.
    package func hasAttribute(_ attribute: String) -> Bool {
        var exists = false
        HDF5Library.quietly { exists = H5Aexists(handle.id, attribute) > 0 }
        return exists
    }

    /// The strings of an attribute (a list, or one), of fixed or variable length; `nil` where there is no such attribute.
    ///
    /// An empty list counts whatever its declared type is: Keras writes `[]` as an array of no floats.
    ///
    /// - Throws: `.format` where it is no text, or larger than 64 MB.
    package func strings(attribute: String) throws(GraftError) -> [String]? {
        guard hasAttribute(attribute) else { return nil }
        return try HDF5Library.calls { () throws(GraftError) in
            let place = "\(place): attribute \"\(attribute)\""
            let object = try HDF5Handle(H5Aopen(handle.id, attribute, 0), "\(place) is damaged")
            let space = try HDF5Handle(H5Aget_space(object.id), "\(place) is damaged")
            let count = H5Sget_simple_extent_npoints(space.id)
            try HDF5Library.check(count, "\(place) is damaged")
            if count == 0 { return [] }
            let type = try HDF5Handle(H5Aget_type(object.id), "\(place) is damaged")
            guard H5Tget_class(type.id) == H5T_STRING else { throw GraftError(.format, "\(place) should be text") }
            let attribute = HDF5StringAttribute(
                object: object, space: space, type: type, count: Int(count), place: place)
            return H5Tis_variable_str(type.id) > 0 ? try attribute.variableStrings() : try attribute.fixedStrings()
        }
    }

    /// The strings of an attribute that Keras may have cut into `name0`, `name1`, …, because HDF5 keeps at most 64 KB
    /// in one (Keras's `load_attributes_from_hdf5_group`); `nil` where there is neither `name` nor `name0`.
    package func strings(chunkedAttribute attribute: String) throws(GraftError) -> [String]? {
        if let whole = try strings(attribute: attribute) { return whole }
        var pieces: [[String]] = []
        while let piece = try strings(attribute: "\(attribute)\(pieces.count)") { pieces.append(piece) }
        return pieces.isEmpty ? nil : Array(pieces.joined())
    }
}

/// A text attribute that is open: its two encodings.
private struct HDF5StringAttribute {
    let object: HDF5Handle
    let space: HDF5Handle
    let type: HDF5Handle
    let count: Int
    let place: String

    /// The largest Keras configuration known is a few megabytes of JSON; a list of names is far smaller.
    static let byteLimit = 64 << 20

    func fixedStrings() throws(GraftError) -> [String] {
        let size = H5Tget_size(type.id)
        guard size > 0, count <= Self.byteLimit / size else { throw tooLarge }
        var bytes = [UInt8](repeating: 0, count: count * size)
        try HDF5Library.check(H5Aread(object.id, type.id, &bytes), "\(place) is damaged")
        var strings: [String] = []
        for index in 0..<count {
            let field = bytes[index * size..<(index + 1) * size]
            strings.append(try text(field.prefix { $0 != 0 }))
        }
        return strings
    }

    /// Variable-length strings lie in the file's global heap; reading gives an array of C strings that HDF5 allocated.
    func variableStrings() throws(GraftError) -> [String] {
        guard count <= Self.byteLimit / 64 else { throw tooLarge }
        var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
        try HDF5Library.check(H5Aread(object.id, type.id, &pointers), "\(place) is damaged")
        defer { _ = graft_h5_reclaim(type.id, space.id, &pointers) }
        var strings: [String] = []
        for pointer in pointers {
            guard let pointer else {
                strings.append("")
                continue
            }
            strings.append(
                try text(UnsafeBufferPointer(start: pointer, count: strlen(pointer)).map(UInt8.init(bitPattern:))))
        }
        return strings
    }

    private func text(_ bytes: some Collection<UInt8>) throws(GraftError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw GraftError(.format, "\(place) is damaged: it is not UTF-8 text")
        }
        return text
    }

    private var tooLarge: GraftError {
        GraftError(
            .format, "\(place) declares more than \(Self.byteLimit >> 20) MB of text; the file is damaged or hostile")
    }
}
