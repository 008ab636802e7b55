import Foundation
import Testing

@testable import GraftReports

@Suite struct LearningCurveTests {
    private func curve() -> LearningCurve {
        var curve = LearningCurve()
        curve.begin("head")
        curve.append(["loss": 0.5, "accuracy": 0.75, "val_loss": 0.625, "val_accuracy": 0.5], seconds: 1.5)
        curve.begin("fine-tuning", event: "unfrozen from mixed5")
        curve.append(["loss": 0.25, "accuracy": 1, "val_loss": 0.5], seconds: 2)
        return curve
    }

    @Test func theTableHasALineAnEpoch() {
        #expect(
            curve().csv == """
                epoch,phase,loss,accuracy,val_loss,val_accuracy,seconds
                1,head,0.5,0.75,0.625,0.5,1.5
                2,fine-tuning,0.25,1.0,0.5,,2.0

                """)
    }

    @Test func namesWithCommasAreQuoted() {
        var curve = LearningCurve()
        curve.begin("a, \"b\"")
        curve.append(["loss": 1], seconds: 1)
        #expect(curve.csv == "epoch,phase,loss,seconds\n1,\"a, \"\"b\"\"\",1.0,1.0\n")
    }

    @Test func theChartSetsTrainingAgainstValidationAndMarksUnfreezing() {
        let chart = curve().chart()
        #expect(chart.panels.map(\.title) == ["accuracy", "loss"])
        #expect(chart.panels[1].series.map(\.name) == ["training", "validation"])
        #expect(chart.panels[1].series[1].points == [Chart.Point(x: 1, y: 0.625), Chart.Point(x: 2, y: 0.5)])
        #expect(chart.panels[0].markers == [Chart.Marker(x: 1.5, label: "unfrozen from mixed5")])
    }

    @Test func aPhaseWithoutEpochsIsForgotten() {
        var curve = LearningCurve()
        curve.begin("head")
        curve.begin("other")
        curve.append(["loss": 1], seconds: 1)
        #expect(curve.phases.map(\.name) == ["other"])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let training: [Double]
        let validation: [Double]
        var unfrozenAt: Int?
        let course: LearningCurveDiagnosis.Course
        var best: Int?
        let advice: [LearningCurveDiagnosis.Advice]
    }

    static let cases: [Case] = [
        Case(
            testDescription: "no validation", training: [3, 2, 1], validation: [], course: .unknown,
            advice: [.validation]),
        Case(
            testDescription: "validation that is no number", training: [3], validation: [.nan], course: .unknown,
            advice: [.validation]),
        Case(
            testDescription: "two epochs", training: [3, 2], validation: [2, 3], course: .tooShort, best: 1,
            advice: [.moreEpochs]),
        Case(
            testDescription: "falling to the end", training: [5, 4, 3, 2], validation: [5, 4, 3, 2.5],
            course: .improving, best: 4, advice: [.moreEpochs]),
        Case(
            testDescription: "lowest in the last but one", training: [5, 4, 3, 2], validation: [5, 4, 3, 3.5],
            course: .improving, best: 3, advice: [.moreEpochs]),
        Case(
            testDescription: "level", training: [5, 4, 3, 2, 1.6], validation: [5, 3, 3.1, 3.05, 3.1], course: .level,
            best: 2, advice: [.earlierStop]),
        Case(
            testDescription: "level, training loss below half", training: [5, 4, 3, 2, 1.5],
            validation: [5, 3, 3.1, 3.05, 3.1], course: .level, best: 2,
            advice: [.earlierStop, .dropout, .augmentation]),
        Case(
            testDescription: "falling, training loss below half", training: [5, 4, 3, 1], validation: [5, 4, 3, 2.5],
            course: .improving, best: 4, advice: [.moreEpochs, .dropout, .augmentation]),
        Case(
            testDescription: "up and down again", training: [5, 4, 3, 2, 2], validation: [5, 3, 4, 4, 3],
            course: .level,
            best: 2, advice: [.earlierStop]),
        Case(
            testDescription: "turned", training: [5, 4, 3, 2, 1], validation: [5, 3, 3.3, 3.6, 4], course: .turned,
            best: 2, advice: [.earlierStop, .dropout, .augmentation]),
        Case(
            testDescription: "turned while fine-tuning", training: [5, 4, 3, 2, 1], validation: [5, 4, 3, 3.6, 4],
            unfrozenAt: 3, course: .turned, best: 3,
            advice: [.earlierStop, .dropout, .augmentation, .fewerLayersUnfrozen]),
        Case(
            testDescription: "both rose", training: [5, 4, 5, 6, 7], validation: [5, 4, 5, 6, 7], course: .diverged,
            best: 2, advice: [.smallerLearningRate, .earlierStop]),
    ]

    @Test(arguments: cases)
    func theVerdictFollowsFromTheCurve(_ example: Case) {
        var curve = LearningCurve()
        for (index, loss) in example.training.enumerated() {
            if index + 1 == example.unfrozenAt { curve.begin("fine-tuning", event: "unfrozen") }
            var figures = ["loss": loss]
            if index < example.validation.count { figures["val_loss"] = example.validation[index] }
            curve.append(figures, seconds: 1)
        }
        let verdict = LearningCurveDiagnosis(of: curve)
        #expect(verdict.course == example.course)
        #expect(verdict.bestEpoch == example.best)
        #expect(verdict.advice == example.advice)
    }

    @Test func theVerdictIsSaidPlainly() {
        var curve = LearningCurve()
        for (loss, validation) in zip([5, 4, 3, 2, 1.0], [5, 3, 3.3, 3.6, 4]) {
            curve.append(["loss": loss, "val_loss": validation], seconds: 1)
        }
        #expect(
            LearningCurveDiagnosis(of: curve).description == """
                The validation curve turned after epoch 2: its loss was lowest there (3.0000) and rose to 4.0000 while \
                the training loss did not: the model learns its training images by heart. Try stopping after epoch 2, \
                more dropout in the head, augmentation.
                """)
    }

    @Test func aTrainingLossFarBelowIsToldWhereTheCurveDidNotTurn() {
        var curve = LearningCurve()
        for (loss, validation) in zip([5, 4, 3, 2, 1.5], [5, 3, 3.1, 3.05, 3.1]) {
            curve.append(["loss": loss, "val_loss": validation], seconds: 1)
        }
        #expect(
            LearningCurveDiagnosis(of: curve).description == """
                The validation curve is level: its loss was lowest (3.0000 after epoch 2) and stayed near that (3.1000 at \
                the end). More epochs will hardly help. On its training images the loss is far lower (1.5000 against \
                3.1000): more dropout in the head, augmentation or more images may close the gap.
                """)
    }
}
