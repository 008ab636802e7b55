import Foundation
import GraftModel

/// A path with places for the epoch and figures, as Python's `str.format` fills them: `{epoch:02d}`, `{val_loss:.2f}`.
struct PathPattern {
    private let text: String

    init(_ text: String) { self.text = text }

    /// The path of an epoch.
    ///
    /// - Throws: `GraftError` with code `argument` for a place that is not closed, a name that is not measured, or a
    ///   format other than `0Nd`, `Nd`, `.Nf` and none.
    func path(epoch: Int, _ figures: [String: Double]) throws(GraftError) -> String {
        var (result, rest) = ("", text[...])
        while let start = rest.firstIndex(of: "{") {
            guard let end = rest[start...].firstIndex(of: "}") else {
                throw GraftError(.argument, "the path \(text) has a { without a }")
            }
            let parts = rest[rest.index(after: start)..<end].split(separator: ":", maxSplits: 1)
            result += rest[..<start]
            result += try value(String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : "", epoch, figures)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private func value(
        _ name: String, _ format: String, _ epoch: Int, _ figures: [String: Double]
    ) throws(GraftError) -> String {
        if name == "epoch" {
            if format.isEmpty { return "\(epoch)" }
            if format.hasSuffix("d"), let width = Int(format.dropLast()), (0...20).contains(width) {
                return String(format: format.hasPrefix("0") ? "%0\(width)d" : "%\(width)d", epoch)
            }
        } else {
            guard let figure = figures[name] else {
                let known = (["epoch"] + figures.keys.sorted()).joined(separator: ", ")
                throw GraftError(.argument, "the path \(text) names \(name); this run has \(known)")
            }
            if format.isEmpty { return "\(figure)" }
            if format.hasPrefix("."), format.hasSuffix("f"), let digits = Int(format.dropFirst().dropLast()),
                (0...20).contains(digits)
            {
                return String(format: "%.\(digits)f", figure)
            }
        }
        throw GraftError(
            .argument, "the path \(text) has the format :\(format); use :02d for the epoch and :.2f for figures")
    }
}
