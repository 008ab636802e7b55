import GraftImages
import GraftLearning

/// A property of the files that gives a class away: a network may have learned it in place of what is shown.
public struct Shortcut: Sendable {
    /// The property.
    public let property: ImageProperties.Kind
    /// The class that has more, or less, of it.
    public let className: String
    /// The area under the curve of this class against the others by the property alone, 0.5 to 1.
    public let areaUnderCurve: Double
    /// The medians of the class and of the others.
    public let medians: (own: Double, others: Double)

    /// Below this a property tells too little to be learned in place of what is shown.
    static let leastArea = 0.65
    /// In standard deviations of chance: with some hundred questions about properties and classes, one in a thousand reports
    /// has a false alarm.
    static let leastDeviations = 4.5

    /// The shortcuts that a data set offers, the strongest first; one a property and pair of two classes.
    ///
    /// - Parameters:
    ///   - properties: of each image; `nil` for one that could not be read.
    ///   - labels: the class of each image.
    ///   - classNames: the classes.
    static func find(_ properties: [ImageProperties?], labels: [Int], classNames: [String]) -> [Shortcut] {
        var found: [Shortcut] = []
        for property in ImageProperties.Kind.allCases {
            let values = zip(properties, labels).compactMap { properties, label in
                properties?.values[property].map { ($0, label) }
            }
            // Of two classes, one is what the other is not.
            for label in classNames.count == 2 ? [1] : Array(classNames.indices) {
                let own = values.filter { $0.1 == label }.map(\.0)
                let others = values.filter { $0.1 != label }.map(\.0)
                let statistics = RankStatistics(own, others)
                let area = max(statistics.areaUnderCurve, 1 - statistics.areaUnderCurve)
                guard area >= leastArea, abs(statistics.deviations) >= leastDeviations else { continue }
                found.append(
                    Shortcut(
                        property: property, className: classNames[label], areaUnderCurve: area,
                        medians: (median(own), median(others))))
            }
        }
        return found.sorted {
            ($1.areaUnderCurve, $0.property.rawValue, $0.className) < (
                $0.areaUnderCurve, $1.property.rawValue, $1.className
            )
        }
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }
}

/// Images that are alike in something, and how the model does on them.
public struct Slice: Sendable, Hashable {
    /// What they have in common: `brightness: lowest third`.
    public let name: String
    /// The share of right answers.
    public let accuracy: Proportion
    /// Whether the model does worse on them than on the others by more than chance explains.
    public let isWorse: Bool

    /// The fewest images of a folder that are a slice, and the most folders.
    private static let (leastFolderCount, folderLimit) = (10, 20)

    /// Thirds by each property of pixels and files, and folders below those of the classes.
    ///
    /// - Parameter isRight: whether each image was recognised.
    static func find(
        _ properties: [ImageProperties?], isRight: [Bool], paths: [String], classNames: [String]
    ) -> [Slice] {
        thirds(properties, isRight) + folders(paths, isRight, classNames)
    }

    /// By the name of the folder that an image lies in, where that says more than its class: `cats/garden` and `dogs/garden` are one.
    private static func folders(_ paths: [String], _ isRight: [Bool], _ classNames: [String]) -> [Slice] {
        let parts: Set<Substring> = ["train", "training", "validation", "val", "test"]
        let names = paths.map { $0.split(separator: "/").dropLast().last ?? "" }
        let known = Set(classNames.map { Substring($0) }).union(parts)
        let folders = Dictionary(grouping: paths.indices.filter { !known.contains(names[$0]) }) { names[$0] }
            .filter { $0.value.count >= leastFolderCount && $0.value.count < paths.count }
        return folders.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.prefix(folderLimit).map {
            slice("folder: \($0.key)", $0.value, isRight)
        }
    }

    private static func thirds(_ properties: [ImageProperties?], _ isRight: [Bool]) -> [Slice] {
        let kinds: [ImageProperties.Kind] = [.brightness, .contrast, .colourfulness, .sharpness, .width, .proportion]
        return kinds.flatMap { kind -> [Slice] in
            let known = properties.indices.filter { properties[$0]?.values[kind] != nil }
            let sorted = known.sorted {
                (properties[$0]?.values[kind] ?? 0, $0) < (properties[$1]?.values[kind] ?? 0, $1)
            }
            guard sorted.count >= 30 else { return [] }
            return ["lowest", "middle", "highest"].enumerated().map { number, word in
                let rows = sorted[(number * sorted.count / 3)..<((number + 1) * sorted.count / 3)]
                return slice("\(kind.title): \(word) third", Array(rows), isRight)
            }
        }
    }

    private static func slice(_ name: String, _ rows: [Int], _ isRight: [Bool]) -> Slice {
        let own = Proportion(rows.count { isRight[$0] }, of: rows.count)
        let all = isRight.count { $0 }
        let others = Proportion(all - own.successes, of: isRight.count - own.count)
        // Two shares differ by chance by so much, in standard deviations of their difference.
        let pooled = Proportion(all, of: isRight.count).value
        let deviation = (pooled * (1 - pooled) * (1 / Double(max(own.count, 1)) + 1 / Double(max(others.count, 1))))
            .squareRoot()
        return Slice(name: name, accuracy: own, isWorse: deviation > 0 && (others.value - own.value) / deviation > 3)
    }
}
