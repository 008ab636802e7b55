import GraftGraph

extension ImageAudit {
    /// The most images of a sheet.
    package static let sheetLimit = 120

    /// Draws what is suspicious and can be decoded: images that belong together side by side, group after group, then single
    /// ones.
    ///
    /// - Returns: the images in the order of the cells; none where there is nothing to draw, and then no file.
    /// - Throws: `GraftError` with code `file` where the sheet cannot be written.
    package func drawSuspicious(to path: String) throws(GraftError) -> [(path: String, kind: ImageFinding.Kind)] {
        var cells: [(path: String, kind: ImageFinding.Kind)] = []
        var drawn: Set<String> = []
        for finding in findings where finding.severity == .problem {
            for path in finding.paths.prefix(8) where cells.count < Self.sheetLimit && drawn.insert(path).inserted {
                cells.append((path, finding.kind))
            }
        }
        let decoder = try ImageDecoder()
        var images: [DecodedImage] = []
        var shown: [(path: String, kind: ImageFinding.Kind)] = []
        let sheet = ContactSheet()
        for cell in cells {
            // What cannot be decoded has no cell: a folder without images, a file that went away.
            guard let image = try? decoder.decode(contentsOf: cell.path) else { continue }
            images.append(try sheet.thumbnail(of: image))
            shown.append(cell)
        }
        guard !images.isEmpty else { return [] }
        try sheet.write(images, to: path, software: "graft audit")
        return shown
    }
}
