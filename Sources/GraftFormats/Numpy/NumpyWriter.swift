import Foundation
import GraftGraph

/// Writes a `.npy` file row by row, for arrays that do not fit into memory: the features of many images.
///
/// The file has a temporary name until ``finish()``; where that is never reached, nothing is left.
///
/// ```swift
/// let writer = try NumpyWriter(creating: "features.npy", rowShape: [7, 7, 768])
/// try writer.append(features)        // [20, 7, 7, 768]
/// try writer.finish()                // [rows, 7, 7, 768]
/// ```
public final class NumpyWriter {
    /// The file that will be there in the end.
    public let path: String
    /// The shape of one row.
    public let rowShape: Shape
    /// The number of rows so far.
    public private(set) var rowCount = 0

    /// Holds the lock of the file under its temporary name, until it has its own.
    private let temporary: TemporaryFile
    private var file: File?

    /// Room for any row count: the text grows by at most 20 digits.
    private var headerByteCount: Int {
        NumpyHeader(element: .float32, shape: Shape([.max] + rowShape.dimensions)).encoded().count
    }

    /// Starts a file of 32-bit floats.
    ///
    /// - Parameter rowShape: The shape of one row; the array will have an axis of rows in front.
    /// - Throws: `.file` where the folder cannot be written to.
    public init(creating path: String, rowShape: Shape) throws(GraftError) {
        self.path = path
        self.rowShape = rowShape
        AtomicFile.removePartials(of: path)
        temporary = try TemporaryFile(for: path)
        let file = try File(filling: temporary.path)
        self.file = file
        try file.write([UInt8](repeating: 0x20, count: headerByteCount))
    }

    deinit {
        if file != nil { unlink(temporary.path) }
    }

    /// Adds rows.
    ///
    /// - Parameter rows: A tensor of the shape `[n] + rowShape`.
    /// - Throws: `.shape` for another shape; `.file` where the disk refuses; `.state` after ``finish()``.
    public func append(_ rows: Tensor) throws(GraftError) {
        guard let file else { throw GraftError(.state, "\(path) is finished") }
        guard rows.shape.rank == rowShape.rank + 1, Shape(Array(rows.shape.dimensions.dropFirst())) == rowShape else {
            throw GraftError(.shape, "\(path) takes rows of the shape \(rowShape); it was given \(rows.shape)")
        }
        do throws(GraftError) {
            try rows.withUnsafeBuffer { (values) throws(GraftError) in try file.write(UnsafeRawBufferPointer(values)) }
        } catch {
            throw GraftError(
                error.code,
                "\(path) was not written: \(error.message.replacing(temporary.path, with: path)) "
                    + "(\(DiskRoom.megabytes(4 * rows.count)) more are needed for these \(rows.shape[0]) rows)")
        }
        rowCount += rows.shape[0]
    }

    /// Writes the header, sees the file onto the disk and gives it its name.
    ///
    /// - Throws: `.file` where the disk refuses; `.state` where it was called before.
    public func finish() throws(GraftError) {
        guard let file else { throw GraftError(.state, "\(path) is finished") }
        let header = NumpyHeader(element: .float32, shape: Shape([rowCount] + rowShape.dimensions))
        try file.seek(to: 0)
        try file.write(header.encoded(byteCount: headerByteCount))
        try file.flush()
        guard rename(temporary.path, path) == 0 else {
            throw FileFailure.error("cannot rename \(temporary.path) to \(path)")
        }
        self.file = nil
    }
}
