import GraftData
import GraftGraph

/// Images that are there more than once: copies, and what looks the same.
struct RepeatedImages {
    let findings: [ImageFinding]

    init(_ listing: ImageListing, _ examined: ExaminedImages) {
        let equal = examined.equal
        var findings: [ImageFinding] = []
        for group in equal {
            findings += Self.findings(
                of: group.map { listing.entries[$0] }, otherwise: .duplicate, "hold the same bytes")
        }
        for group in examined.near {
            findings += Self.findings(
                of: group.members.map { listing.entries[$0] }, otherwise: .nearDuplicate,
                "look the same: \(group.distance) of 63 bits of their hashes differ, correlation "
                    + Self.hundredths(group.correlation))
        }
        self.findings = findings
    }

    /// The same from digests alone, for those who have decoded nothing.
    init(sameBytes groups: [[ImageListing.Entry]]) {
        findings = groups.flatMap { Self.findings(of: $0, otherwise: .duplicate, "hold the same bytes") }
    }

    /// The worst that can be said of some images that are the same, each kind once.
    private static func findings(
        of entries: [ImageListing.Entry], otherwise kind: ImageFinding.Kind, _ detail: String
    ) -> [ImageFinding] {
        let paths = entries.map(\.path)
        var findings: [ImageFinding] = []
        let labels = Set(entries.map(\.labels).filter { !$0.isEmpty })
        if labels.count > 1 {
            let names = labels.map { $0.joined(separator: " and ") }.sorted { FolderListing.precedes($0, $1) }
            findings.append(
                ImageFinding(
                    kind: .conflict, paths: paths, detail: "\(detail), and are labelled \(list(names))"))
        }
        let parts = DatasetPart.allCases.filter { part in entries.contains { $0.part == part } }
        if parts.count > 1 {
            findings.append(
                ImageFinding(
                    kind: .leak, paths: paths, detail: "\(detail), and lie in \(list(parts.map(\.rawValue)))"))
        }
        return findings.isEmpty ? [ImageFinding(kind: kind, paths: paths, detail: detail)] : findings
    }

    private static func list(_ names: [String]) -> String {
        names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    }

    private static func hundredths(_ value: Float) -> String {
        let number = Int((value * 1000).rounded(.down))
        return number >= 1000 ? "1.000" : "0.\(number)"
    }
}
