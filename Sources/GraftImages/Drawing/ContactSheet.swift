import GraftData
import GraftGraph

/// Many images on one, each in a cell of its own: thumbnails in rows.
///
/// An image is brought to its cell by the antialiasing triangle and keeps its proportions. Grey images become RGB.
///
/// ```swift
/// let sheet = ContactSheet(columns: 8, cell: 128)
/// try sheet.write(images, to: "suspicious.png")
/// ```
package struct ContactSheet: Sendable {
    /// Cells in a row.
    package var columns: Int
    /// The side of a cell, in pixels.
    package var cell: Int
    /// Pixels around and between cells.
    package var gap: Int
    /// Red, green and blue of what no image covers.
    package var background: [UInt8]

    /// - Parameters:
    ///   - columns: cells in a row.
    ///   - cell: the side of a cell, in pixels.
    ///   - gap: pixels around and between cells.
    ///   - background: red, green and blue; nearly white by default.
    package init(columns: Int = 8, cell: Int = 128, gap: Int = 8, background: [UInt8] = [245, 245, 245]) {
        (self.columns, self.cell, self.gap, self.background) = (columns, cell, gap, background)
    }

    /// The sheet with these images, row by row; an empty cell where one is `nil`.
    ///
    /// - Throws: `GraftError` with code `argument` for sizes that make no image, or more than a PNG reader takes.
    package func image(of images: [DecodedImage?]) throws(GraftError) -> DecodedImage {
        let size = try size(of: images.count)
        var pixels = [UInt8](repeating: 0, count: 3 * size.width * size.height)
        for position in pixels.indices { pixels[position] = background[position % 3] }
        for (number, image) in images.enumerated() {
            guard let image else { continue }
            let (x, y) = (gap + number % columns * (cell + gap), gap + number / columns * (cell + gap))
            try place(image, x: x, y: y, in: &pixels, width: size.width)
        }
        return DecodedImage(height: size.height, width: size.width, channels: 3, pixels: pixels)
    }

    /// The rows and columns of pixels of a sheet with so many cells.
    ///
    /// - Throws: `GraftError` with code `argument` for sizes that make no image, or one that nobody can look at.
    package func size(of count: Int) throws(GraftError) -> Size2D {
        guard columns > 0, (1...4096).contains(cell), (0...256).contains(gap), background.count == 3 else {
            throw GraftError(
                .argument,
                "a contact sheet needs at least 1 column, cells of 1 to 4096 pixels, gaps of 0 to 256 and a colour of 3 "
                    + "values; it was given \(columns), \(cell), \(gap) and \(background.count)")
        }
        let used = min(columns, max(count, 1))
        let rows = max(1, (count + columns - 1) / columns)
        let size = Size2D(gap + rows * (cell + gap), gap + used * (cell + gap))
        let (area, overflow) = size.height.multipliedReportingOverflow(by: size.width)
        guard !overflow, area <= ImageDecoder.maximumPixelCount else {
            throw GraftError(
                .argument,
                "\(count) images of \(cell) pixels make a sheet of \(size.width) × \(size.height) pixels, which is more than anybody "
                    + "can look at; take fewer images or views")
        }
        return size
    }

    /// Writes the sheet as PNG; the file is there whole or not at all.
    ///
    /// - Parameter software: what the file says that it was made with, in ASCII.
    /// - Throws: as ``image(of:)``; `GraftError` with code `file` where it cannot be written.
    package func write(
        _ images: [DecodedImage?], to path: String, software: String = "graft"
    ) throws(GraftError) {
        try AtomicFile.write(PNGWriter.bytes(of: image(of: images), software: software), to: path)
    }

    /// The image in the size that it has in its cell, so that many are kept in little memory.
    package func thumbnail(of image: DecodedImage) throws(GraftError) -> DecodedImage {
        let longer = max(image.width, image.height)
        let (columns, rows) = (max(1, image.width * cell / longer), max(1, image.height * cell / longer))
        guard (columns, rows) != (image.width, image.height) else { return image }
        let resizer = try ImageResizer(
            rule: ImageRule(height: rows, width: columns, channels: image.channels, resize: .antialias))
        let pixels = resizer.resized(image).withUnsafeBuffer { values in
            values.map { UInt8(min(255, max(0, $0.rounded()))) }
        }
        return DecodedImage(height: rows, width: columns, channels: image.channels, pixels: pixels)
    }

    /// Draws an image into the middle of its cell.
    private func place(
        _ image: DecodedImage, x: Int, y: Int, in pixels: inout [UInt8], width: Int
    ) throws(GraftError) {
        let image = try thumbnail(of: image)
        let (left, top) = (x + (cell - image.width) / 2, y + (cell - image.height) / 2)
        for row in 0..<image.height {
            for column in 0..<image.width {
                let source = (row * image.width + column) * image.channels
                let target = 3 * ((top + row) * width + left + column)
                for channel in 0..<3 {
                    pixels[target + channel] = image.pixels[source + (image.channels == 3 ? channel : 0)]
                }
            }
        }
    }
}
