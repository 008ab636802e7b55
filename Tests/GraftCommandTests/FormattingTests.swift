import GraftSystem
import Testing

@testable import GraftCommand

@Suite struct FormattingTests {
    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (47_512_481, "47,512,481"), (-1234, "-1,234"),
        (Int.min, "-9,223,372,036,854,775,808"),
    ])
    func thousandsAreSeparated(number: Int, text: String) { #expect(number.grouped == text) }

    @Test(arguments: [(0, "0 images"), (1, "1 image"), (2, "2 images"), (1399, "1,399 images")])
    func oneIsSingular(number: Int, text: String) { #expect(number.of("image") == text) }

    @Test(arguments: [
        (0.0, "0.00 s"), (0.824, "0.82 s"), (34.12, "34.1 s"), (99.9, "99.9 s"), (125.0, "2 min 5 s"),
        (3600.0, "1 h 0 min"), (11_520.0, "3 h 12 min"), (.infinity, "very long"), (.nan, "very long"),
    ])
    func durationsReadAsPeopleSayThem(seconds: Double, text: String) { #expect(seconds.asDuration == text) }

    @Test(arguments: [(0.2, "1 s"), (59.4, "60 s"), (99.0, "99 s"), (125.0, "2 min 5 s"), (1e12, "very long")])
    func timeLeftHasNoFractions(seconds: Double, text: String) { #expect(seconds.asTimeLeft == text) }

    @Test func figuresStandLossFirstAndValidationLast() {
        var object = JSONObject()
        object.add(figures: ["val_loss": 4, "accuracy": 2, "val_accuracy": 5, "loss": 1])
        #expect(object.line == #"{"loss":1.0,"accuracy":2.0,"val_loss":4.0,"val_accuracy":5.0}"#)
    }
}
