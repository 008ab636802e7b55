import GraftData
import GraftGraph
import GraftImages
import GraftTraining

/// Small images for a report, as JPEG files: as they are in their files, and as the network sees them with where it looked.
struct ReportPictures: Sendable {
    /// By path.
    private(set) var plain: [String: [UInt8]] = [:]
    /// By path: with the class activation map over them.
    private(set) var explained: [String: [UInt8]] = [:]

    private static let side = 144
    private static let quality = 72

    /// Makes an image small; one that cannot be read has none.
    mutating func add(_ paths: [String], rule: ImageRule) throws {
        let sheet = ContactSheet(cell: Self.side)
        let decoder = try ImageDecoder(channels: 3, window: rule.window)
        for path in paths where plain[path] == nil {
            guard let image = try? decoder.decode(contentsOf: path) else { continue }
            plain[path] = try JPEGWriter.bytes(of: sheet.thumbnail(of: image), quality: Self.quality)
        }
    }

    /// Draws where the model looked for the class that it named.
    ///
    /// - Parameters:
    ///   - answers: the images with the classes.
    ///   - rule: what the network sees of them.
    mutating func explain(_ answers: [ModelReport.Answer], _ explainer: ModelExplainer, rule: ImageRule) throws {
        guard explainer.hasActivationMaps else { return }
        let wanted = answers.filter { explained[$0.path] == nil }
        let images = try ImageFiles(paths: wanted.map(\.path), rule: rule)
        let sheet = ContactSheet(cell: Self.side)
        for start in stride(from: 0, to: wanted.count, by: explainer.batchSize) {
            let numbers = Array(start..<min(start + explainer.batchSize, wanted.count))
            let batch = try images.batch(numbers)
            guard !batch.indices.isEmpty else { continue }
            let classes = batch.indices.map { wanted[$0].predicted }
            guard let maps = try explainer.activationMaps(batch.inputs, classes: classes) else { return }
            for (row, index) in batch.indices.enumerated() {
                let image = HeatOverlay(maps.rows([row])).applied(to: batch.inputs[0].rows([row]))
                explained[wanted[index].path] = try JPEGWriter.bytes(
                    of: sheet.thumbnail(of: image), quality: Self.quality)
            }
        }
    }
}
