import GraftData
import GraftGraph

extension ImageListing {
    /// How many images each part has.
    public var partCounts: [DatasetPart: Int] { entries.reduce(into: [:]) { $0[$1.part, default: 0] += 1 } }

    /// How many images each part has of each class or label.
    public var classCounts: [String: [DatasetPart: Int]] {
        var counts: [String: [DatasetPart: Int]] = [:]
        for entry in entries { for label in entry.labels { counts[label, default: [:]][entry.part, default: 0] += 1 } }
        return counts
    }

    /// What the labels alone say: images without one, and classes of very unequal sizes among those to train on.
    var labelFindings: [ImageFinding] {
        var findings: [ImageFinding] = []
        let counts = classCounts
        if !counts.isEmpty {
            findings += entries.filter(\.labels.isEmpty).map {
                ImageFinding(kind: .unlabelled, paths: [$0.path], detail: "has no label")
            }
        }
        let sizes = counts.map { (name: $0.key, count: $0.value[.training] ?? 0) }
            .sorted { ($0.count, $1.name) > ($1.count, $0.name) }
        if let most = sizes.first, let least = sizes.last, most.count >= ImageAudit.imbalanceRatio * max(least.count, 1)
        {
            let times =
                least.count > 0 ? "\(most.count / least.count) times as many" : "no image to train on"
            findings.append(
                ImageFinding(
                    kind: .imbalance, paths: [],
                    detail: "\(most.name) has \(most.count) images to train on and \(least.name) \(least.count): "
                        + "\(times)"))
        }
        return findings
    }
}
