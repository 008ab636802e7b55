import Foundation
import GraftGraph
import GraftLearning
import GraftModel

extension ModelMetadata {
    /// How sure the model's answers are; `nil` where the file does not say.
    ///
    /// - Throws: `GraftError` with code `format` where it is not what Graft writes.
    public var calibration: ClassifierCalibration? {
        get throws(GraftError) {
            try storedCalibration.map { stored throws(GraftError) in try ClassifierCalibration(stored) }
        }
    }

    /// Has a saved model remember it.
    mutating func setCalibration(_ calibration: ClassifierCalibration?) {
        storedCalibration = calibration?.configuration
    }
}

extension ClassifierCalibration {
    /// As a saved model has it: numbers in arrays, vectors as 32-bit little-endian numbers in Base64.
    var configuration: Configuration {
        var members: [String: Configuration] = [
            "temperature": .double(temperature.value), "sure_from": .double(sureFrom),
            "scores": .array(sets.scores.map { .double($0) }),
        ]
        if let distance, farthest.isFinite {
            members["distance"] = [
                "width": .int(distance.shift.count), "farthest": .double(farthest),
                "shift": .string(Self.text(distance.shift)), "scale": .string(Self.text(distance.scale)),
                "means": .string(Self.text(distance.means.flatMap { $0 })),
                "directions": .string(Self.text(distance.directions.flatMap { $0 })),
                "weights": .string(Self.text(distance.weights.own + [distance.weights.others])),
            ]
        }
        return .object(members)
    }

    /// Reads what ``configuration`` gave.
    ///
    /// - Throws: `GraftError` with code `format` where it is something else.
    init(_ stored: Configuration) throws(GraftError) {
        guard let temperature = stored["temperature"]?.number, temperature > 0, temperature.isFinite,
            let sureFrom = stored["sure_from"]?.number, let elements = stored["scores"]?.elements
        else { throw Self.refusal }
        let scores = elements.compactMap(\.number)
        guard scores.count == elements.count, scores.allSatisfy(\.isFinite) else { throw Self.refusal }
        let (distance, farthest) = try Self.distance(stored["distance"])
        self.init(
            temperature: Temperature(temperature), sureFrom: sureFrom, sets: ConformalSets(scores: scores),
            distance: distance, farthest: farthest)
    }

    private static func distance(_ stored: Configuration?) throws(GraftError) -> (FeatureDistance?, Double) {
        guard let stored else { return (nil, .infinity) }
        guard let width = stored["width"]?.integer, width > 0, let farthest = stored["farthest"]?.number,
            let shift = values(stored["shift"]), let scale = values(stored["scale"]),
            let means = rows(stored["means"], width), let directions = rows(stored["directions"], width),
            let weights = values(stored["weights"]), let others = weights.last,
            let distance = FeatureDistance(
                shift: shift, scale: scale, means: means, directions: directions,
                weights: (Array(weights.dropLast()), others))
        else { throw refusal }
        return (distance, farthest)
    }

    private static var refusal: GraftError {
        GraftError(.format, "the model's calibration is not what Graft writes; graft report --keep makes it anew")
    }

    private static func text(_ values: [Float]) -> String {
        var data = Data(capacity: 4 * values.count)
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
        return data.base64EncodedString()
    }

    /// `nil` where it is no text, or not all numbers are finite.
    private static func values(_ stored: Configuration?) -> [Float]? {
        guard let text = stored?.text, let data = Data(base64Encoded: text), data.count % 4 == 0 else { return nil }
        let bytes = [UInt8](data)
        let values = stride(from: 0, to: bytes.count, by: 4).map { start in
            Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
        }
        return values.allSatisfy(\.isFinite) ? values : nil
    }

    private static func rows(_ stored: Configuration?, _ width: Int) -> [[Float]]? {
        guard let values = values(stored), values.count % width == 0 else { return nil }
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
    }
}
