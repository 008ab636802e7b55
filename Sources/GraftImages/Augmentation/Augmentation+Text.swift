import GraftGraph

extension Augmentation: CustomStringConvertible {
    /// The parts that a recipe may have, for messages and help.
    public static let forms =
        "flip[:PROBABILITY], vflip[:PROBABILITY], rotate:DEGREES, shift:FRACTION or shift:WIDTH:HEIGHT, shear:DEGREES, "
        + "zoom:FRACTION or zoom:FROM:TO, crop:AREA[:TO[:ASPECT:TO]], brightness:FRACTION, contrast:FRACTION, "
        + "saturation:FRACTION, hue:FRACTION, grayscale:PROBABILITY, erase:PROBABILITY, "
        + "fill:nearest|reflect|wrap|constant[:VALUE], randaugment[:OPERATIONS[:MAGNITUDE]], trivialaugment, "
        + "imagedatagenerator, none"

    /// Reads a recipe: parts separated by commas, each a name and numbers after colons.
    ///
    /// | part | sets | |
    /// |---|---|---|
    /// | `flip`, `flip:0.3` | ``horizontalFlip`` | 0.5 without a number |
    /// | `vflip`, `vflip:0.3` | ``verticalFlip`` | 0.5 without a number |
    /// | `rotate:40` | ``rotation`` | degrees |
    /// | `shift:0.2`, `shift:0.2:0.1` | ``horizontalShift``, ``verticalShift`` | of width and height |
    /// | `shear:0.2` | ``shear`` | degrees |
    /// | `zoom:0.2`, `zoom:0.8:1.2` | ``zoom`` | `1 − z … 1 + z`, or from and to |
    /// | `crop:0.3`, `crop:0.3:0.9`, `crop:0.3:0.9:0.5:2` | ``cropArea``, ``cropAspect`` | to 1 without a second number |
    /// | `brightness:0.2`, `contrast:0.2`, `saturation:0.2`, `hue:0.05` | | |
    /// | `grayscale:0.1`, `erase:0.25` | ``grayscale``, ``erasing`` | probabilities |
    /// | `fill:reflect`, `fill:constant:128` | ``fill``, ``fillValue`` | |
    /// | `randaugment`, `randaugment:2:9` | ``policy`` | 2 operations of magnitude 9 without numbers |
    /// | `trivialaugment` | ``policy`` | |
    /// | `imagedatagenerator` | ``imageDataGenerator`` | later parts change it |
    /// | `none` | nothing | alone |
    ///
    /// - Throws: `GraftError` with code `argument` that names the part and says what it should be.
    public init(_ text: String) throws(GraftError) {
        self.init()
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimming(" ") }
        if parts == ["none"] { return }
        var names: Set<Substring> = []
        for part in parts {
            let fields = part.split(separator: ":", omittingEmptySubsequences: false)
            let reader = PartReader(part: part, fields: Array(fields.dropFirst()))
            guard names.insert(fields.first ?? "").inserted else { throw reader.wrong("it is there twice") }
            try set(fields.first ?? "", reader, isFirst: names.count == 1)
        }
        try validate()
    }

    private mutating func set(_ name: Substring, _ part: PartReader, isFirst: Bool) throws(GraftError) {
        switch name {
        case "flip": horizontalFlip = try part.probability(orElse: 0.5)
        case "vflip": verticalFlip = try part.probability(orElse: 0.5)
        case "rotate": rotation = try part.number(in: 0...180)
        case "shift":
            let numbers = try part.numbers(1...2, in: 0...1)
            (horizontalShift, verticalShift) = (numbers[0], numbers[numbers.count - 1])
        case "shear": shear = try part.number(in: 0...80)
        case "zoom": zoom = try Self.zoom(part)
        case "crop": try setCrop(part)
        case "brightness": brightness = try part.number(in: 0...1)
        case "contrast": contrast = try part.number(in: 0...1)
        case "saturation": saturation = try part.number(in: 0...1)
        case "hue": hue = try part.number(in: 0...0.5)
        case "grayscale": grayscale = try part.probability()
        case "erase": erasing = try part.probability()
        case "fill": try setFill(part)
        case "randaugment", "trivialaugment":
            guard policy == nil else { throw part.wrong("a recipe has randaugment or trivialaugment, not both") }
            policy = try name == "randaugment" ? Self.randAugment(part) : Self.trivialAugment(part)
        case "imagedatagenerator":
            guard isFirst else { throw part.wrong("it must be the first part, as it sets many others") }
            try part.checkCount(0...0)
            self = .imageDataGenerator
        case "none": throw part.wrong("it must be the only part")
        default: throw part.wrong("the parts are \(Self.forms)")
        }
    }

    private static func zoom(_ part: PartReader) throws(GraftError) -> ClosedRange<Double> {
        try part.checkCount(1...2)
        guard part.fields.count == 2 else {
            let factor = try part.number(in: 0...0.99)
            return (1 - factor)...(1 + factor)
        }
        return try part.range(of: part.numbers(2...2, in: 0.01...100))
    }

    private mutating func setCrop(_ part: PartReader) throws(GraftError) {
        try part.checkCount(1...4)
        guard part.fields.count != 3 else { throw part.wrong("an aspect has two numbers, from and to") }
        let area = try PartReader(part: part.part, fields: Array(part.fields.prefix(2))).numbers(1...2, in: 0.01...1)
        cropArea = try part.range(of: area.count == 1 ? [area[0], 1] : area)
        guard part.fields.count == 4 else { return }
        let aspect = try PartReader(part: part.part, fields: Array(part.fields.suffix(2))).numbers(2...2, in: 0.1...10)
        cropAspect = try part.range(of: aspect)
    }

    private static func randAugment(_ part: PartReader) throws(GraftError) -> AugmentationPolicy {
        guard !part.fields.isEmpty else { return .randAugment(operations: 2, magnitude: 9) }
        let numbers = try part.numbers(1...2, in: 0...Double(AugmentationPolicy.largestBin))
        guard numbers.allSatisfy({ $0 == $0.rounded() }), (1...14).contains(numbers[0]) else {
            throw part.wrong("it has 1 to 14 operations and a magnitude from 0 to 30, whole numbers both")
        }
        return .randAugment(operations: Int(numbers[0]), magnitude: numbers.count == 2 ? Int(numbers[1]) : 9)
    }

    private static func trivialAugment(_ part: PartReader) throws(GraftError) -> AugmentationPolicy {
        try part.checkCount(0...0)
        return .trivialAugment
    }

    private mutating func setFill(_ part: PartReader) throws(GraftError) {
        try part.checkCount(1...2)
        guard let mode = FillMode(rawValue: String(part.fields[0])) else {
            throw part.wrong("the modes are \(FillMode.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        fill = mode
        guard part.fields.count == 2 else { return }
        guard mode == .constant else { throw part.wrong("only fill:constant takes a value") }
        fillValue = try PartReader(part: part.part, fields: [part.fields[1]]).number(in: 0...255)
    }

    /// The recipe as ``init(_:)`` reads it; `none` for one that changes nothing.
    public var description: String {
        let blank = Augmentation()
        var parts: [String] = []
        func add(_ name: String, _ numbers: Double..., when isSet: Bool) {
            if isSet { parts.append(([name] + numbers.map(Self.text)).joined(separator: ":")) }
        }
        add("flip", horizontalFlip, when: horizontalFlip != 0)
        add("vflip", verticalFlip, when: verticalFlip != 0)
        add("rotate", rotation, when: rotation != 0)
        add("shift", horizontalShift, verticalShift, when: horizontalShift != 0 || verticalShift != 0)
        add("shear", shear, when: shear != 0)
        add("zoom", zoom.lowerBound, zoom.upperBound, when: zoom != blank.zoom)
        if let area = cropArea {
            let (aspect, isUsual) = (cropAspect, cropAspect == Self.defaultCropAspect)
            add("crop", area.lowerBound, area.upperBound, when: isUsual)
            add("crop", area.lowerBound, area.upperBound, aspect.lowerBound, aspect.upperBound, when: !isUsual)
        }
        add("brightness", brightness, when: brightness != 0)
        add("contrast", contrast, when: contrast != 0)
        add("saturation", saturation, when: saturation != 0)
        add("hue", hue, when: hue != 0)
        add("grayscale", grayscale, when: grayscale != 0)
        add("erase", erasing, when: erasing != 0)
        switch policy {
        case nil: break
        case .randAugment(let operations, let magnitude): parts.append("randaugment:\(operations):\(magnitude)")
        case .trivialAugment: parts.append("trivialaugment")
        }
        if fill == .constant { add("fill:constant", fillValue, when: true) }
        if fill != .constant, fill != .nearest { parts.append("fill:\(fill.rawValue)") }
        return parts.isEmpty ? "none" : parts.joined(separator: ",")
    }

    /// Without a decimal point where the number is whole.
    private static func text(_ number: Double) -> String {
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension Augmentation: Codable {
    /// Reads the text form.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// One part of a recipe: its numbers, and errors that name it.
private struct PartReader {
    let part: Substring
    /// What is after the name.
    let fields: [Substring]

    func wrong(_ reason: String) -> GraftError {
        GraftError(.argument, "'\(part)' is no part of an augmentation: \(reason)")
    }

    func checkCount(_ counts: ClosedRange<Int>) throws(GraftError) {
        guard !counts.contains(fields.count) else { return }
        let wanted =
            counts.lowerBound == counts.upperBound
            ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)"
        throw wrong("it has \(fields.count) numbers and needs \(wanted)")
    }

    func numbers(_ counts: ClosedRange<Int>, in range: ClosedRange<Double>) throws(GraftError) -> [Double] {
        try checkCount(counts)
        var numbers: [Double] = []
        for field in fields {
            guard let number = Double(field), range.contains(number) else {
                throw wrong("'\(field)' must be a number from \(range.lowerBound) to \(range.upperBound)")
            }
            numbers.append(number)
        }
        return numbers
    }

    func number(in range: ClosedRange<Double>) throws(GraftError) -> Double { try numbers(1...1, in: range)[0] }

    func probability(orElse usual: Double? = nil) throws(GraftError) -> Double {
        if let usual, fields.isEmpty { return usual }
        return try number(in: 0...1)
    }

    func range(of numbers: [Double]) throws(GraftError) -> ClosedRange<Double> {
        guard numbers[0] <= numbers[1] else { throw wrong("\(numbers[0]) is more than \(numbers[1])") }
        return numbers[0]...numbers[1]
    }
}

extension Substring {
    /// Without this character at both ends.
    fileprivate func trimming(_ character: Character) -> Substring {
        var text = drop { $0 == character }
        while text.last == character { text.removeLast() }
        return text
    }
}
