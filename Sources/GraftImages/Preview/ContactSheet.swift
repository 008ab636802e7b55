import GraftGraph

/// Images of one size side by side in rows, on grey.
struct ContactSheet {
    /// The rows and columns of a cell in pixels, before it is enlarged.
    let cell: Size2D
    let columns: Int
    /// How many pixels wide and high a pixel of a cell becomes: small images are enlarged, so that one sees something.
    let scale: Int
    private var cells: [DecodedImage] = []

    /// Pixels between cells.
    private static let gap = 6
    private static let background: UInt8 = 96
    /// Cells have so many rows at least.
    private static let leastCellSide = 96
    /// The most bytes of a sheet.
    private static let byteLimit = 300_000_000

    /// - Parameter rows: how many rows there will be.
    /// - Throws: `GraftError` with code `argument` for a sheet that is too large for anybody to look at.
    init(cell: Size2D, columns: Int, rows: Int) throws(GraftError) {
        let shorter = max(min(cell.height, cell.width), 1)
        (self.cell, self.columns) = (cell, columns)
        scale = (Self.leastCellSide + shorter - 1) / shorter
        let size = size(rows: rows)
        let (area, overflow) = size.height.multipliedReportingOverflow(by: 3 * size.width)
        guard !overflow, area <= Self.byteLimit else {
            throw GraftError(
                .argument,
                "\(rows) rows of \(columns) images of \(cell.height) × \(cell.width) make a sheet of \(size.height) × "
                    + "\(size.width) pixels, which is more than anybody can look at; take fewer images or views")
        }
    }

    /// Adds the next cell: an image of at most the cell's size, which is put into its middle.
    mutating func append(_ image: DecodedImage) { cells.append(image) }

    private func size(rows: Int) -> Size2D {
        Size2D(
            rows * (scale * cell.height + Self.gap) + Self.gap, columns * (scale * cell.width + Self.gap) + Self.gap)
    }

    /// The sheet, in colour.
    var image: DecodedImage {
        let size = size(rows: (cells.count + columns - 1) / columns)
        var pixels = [UInt8](repeating: Self.background, count: 3 * size.height * size.width)
        for (number, image) in cells.enumerated() {
            let (row, column) = number.quotientAndRemainder(dividingBy: columns)
            let top = Self.gap + row * (scale * cell.height + Self.gap) + scale * (cell.height - image.height) / 2
            let left = Self.gap + column * (scale * cell.width + Self.gap) + scale * (cell.width - image.width) / 2
            draw(image, top: top, left: left, width: size.width, in: &pixels)
        }
        return DecodedImage(height: size.height, width: size.width, channels: 3, pixels: pixels)
    }

    private func draw(_ image: DecodedImage, top: Int, left: Int, width: Int, in pixels: inout [UInt8]) {
        for y in 0..<(scale * image.height) {
            for x in 0..<(scale * image.width) {
                let source = (y / scale * image.width + x / scale) * image.channels
                let target = 3 * ((top + y) * width + left + x)
                for channel in 0..<3 { pixels[target + channel] = image.pixels[source + channel % image.channels] }
            }
        }
    }
}
