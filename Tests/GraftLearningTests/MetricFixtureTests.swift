import GraftGraph
import KerasFixtures
import Testing

@testable import GraftLearning

@Suite struct MetricFixtureTests {
    /// Three batches, one after the other, against Keras's float32.
    @Test(arguments: LearningFixture.shared.metrics)
    func everyBatchEqualsKeras(_ expected: LearningFixture.MetricCase) throws {
        let metric = try makeMetric(expected.metric, expected.arguments)
        let batches = try #require(LearningFixture.shared.batches.first { $0.kind == expected.batches })
        var measured = MeasuredMetric(metric)
        for index in batches.predictions.indices {
            let predictions = Tensor(batches.predictions[index], shape: Shape(batches.predictionShapes[index]))
            let targets = Tensor(batches.targets[index], shape: Shape(batches.targetShapes[index]))
            try measured.add(predictions, targets)
            let value = measured.value
            #expect(abs(value - expected.values[index]) <= 2e-6, "batch \(index): \(value), \(expected.values[index])")
        }
    }

    @Test func precisionAndRecallCountByHand() throws {
        // Predicted positive: 0.6, 0.7, 0.9; of them true: 0.7, 0.9; true in all: 0.7, 0.9, 0.2, 0.5.
        let predictions = Tensor([0.6, 0.7, 0.9, 0.2, 0.5], shape: [5, 1])
        let targets = Tensor([0, 1, 1, 1, 1], shape: [5])
        #expect(try value(.precision, predictions, targets) == 2.0 / 3)
        #expect(try value(.recall, predictions, targets) == 0.5)
        let f1 = try value(.f1Score(), predictions, targets)
        #expect(abs(f1 - 4.0 / 7) < 1e-6)
        #expect(try value(.precision, Tensor(zeros: [2, 1]), Tensor([1, 1], shape: [2])) == 0)
    }

    @Test func areaUnderTheCurveIsTheShareOfPairsInOrder() throws {
        // Of the six pairs of a positive and a negative, (0.4 and 0.6) stands the wrong way round.
        let predictions = Tensor([0.1, 0.6, 0.4, 0.8, 0.9], shape: [5, 1])
        let targets = Tensor([0, 0, 1, 1, 1], shape: [5])
        let area = try value(.auc, predictions, targets)
        #expect(abs(area - 5.0 / 6) < 1e-9)
        let perfect = Tensor([0.1, 0.2, 0.7, 0.8, 0.9], shape: [5, 1])
        #expect(try value(.auc, perfect, targets) == 1)
        let precisionArea = try value(.auc(curve: .pr), perfect, targets)
        #expect(abs(precisionArea - 1) < 1e-9)
    }

    @Test func classNumbersBecomeRows() throws {
        let predictions = Tensor([0.7, 0.2, 0.1, 0.3, 0.1, 0.6], shape: [2, 3])
        let rows = Tensor([1, 0, 0, 0, 1, 0], shape: [2, 3])
        let numbers = Tensor([0, 1], shape: [2])
        for metric in [Metric.precision, .recall, .f1Score(), .auc, .precision(topK: 2), .recall(classID: 1)] {
            #expect(try value(metric, predictions, numbers) == value(metric, predictions, rows), "\(metric.name)")
        }
    }

    @Test func topKCountsAllEqualOnesAtTheEdge() throws {
        let predictions = Tensor([0.4, 0.2, 0.2, 0.2], shape: [1, 4])
        #expect(try value(.sparseTopKCategoricalAccuracy(k: 2), predictions, Tensor([3], shape: [1])) == 1)
        #expect(try value(.sparseTopKCategoricalAccuracy(k: 1), predictions, Tensor([3], shape: [1])) == 0)
    }

    @Test func aClassThatIsNotThereThrows() throws {
        #expect { try value(.precision(classID: 3), Tensor(zeros: [1, 3]), Tensor(zeros: [1, 3])) } throws: {
            ($0 as? GraftError)?.message == "the metric counts class 3; the model has 3 outputs, from 0"
        }
    }

    @Test func confusionMatrixCountsWhatWasTakenForWhat() {
        var matrix = ConfusionMatrix()
        matrix.add(Tensor([0.6, 0.3, 0.1, 0.2, 0.2, 0.6], shape: [2, 3]), Tensor([0, 1], shape: [2]))
        matrix.add(Tensor([0.1, 0.8, 0.1], shape: [1, 3]), Tensor([0, 1, 0], shape: [1, 3]))
        #expect(matrix.counts == [[1, 0, 0], [0, 1, 1], [0, 0, 0]])
        let figures = matrix.classMetrics(names: ["a", "b", "c"])
        #expect(figures.map(\.recall) == [1, 0.5, nil])
        #expect(figures.map(\.precision) == [1, 1, 0])
        #expect(figures.map(\.f1) == [1, 2.0 / 3, 0])
        var binary = ConfusionMatrix()
        binary.add(Tensor([0.6, 0.5], shape: [2, 1]), Tensor([0, 1], shape: [2]))
        #expect(binary.counts == [[0, 1], [1, 0]])
    }

    /// Worked out by hand: of the scores in descending order, 0.9 and 0.8 are right, 0.4 and a wrong one are equal, 0.2 is right.
    @Test func averagePrecisionCountsEqualScoresTogether() throws {
        let predictions = Tensor([0.4, 0.9, 0.8, 0.4, 0.2, 0.1], shape: [6, 1])
        let targets = Tensor([1, 1, 1, 0, 1, 0], shape: [6])
        // Recall rises by a quarter each at precisions 1, 1, 3/4, 4/5.
        let expected = (1 + 1 + 0.75 + 0.8) / 4
        #expect(abs(try value(.averagePrecision, predictions, targets) - expected) < 1e-12)
        var halves = MeasuredMetric(.averagePrecision)
        for rows in [0..<2, 2..<6] {
            let part = { (tensor: Tensor) in Tensor(Array(tensor.scalars[rows]), shape: [rows.count]) }
            try halves.add(part(predictions).reshaped(to: [rows.count, 1]), part(targets))
        }
        #expect(abs(halves.value - expected) < 1e-12)
        #expect(try value(.averagePrecision, predictions, Tensor(zeros: [6])) == 0)
    }

    @Test func averagePrecisionOfClassNumbersIsThatOfRows() throws {
        let predictions = Tensor([0.7, 0.2, 0.1, 0.3, 0.1, 0.6], shape: [2, 3])
        let rows = try value(.averagePrecision, predictions, Tensor([1, 0, 0, 0, 1, 0], shape: [2, 3]))
        #expect(try value(.averagePrecision, predictions, Tensor([0, 1], shape: [2])) == rows)
        // 0.7 is right; 0.1 of the second row comes last, with 0.1 of the first.
        #expect(abs(rows - (0.5 * 1 + 0.5 * 2 / 6)) < 1e-12)
    }

    private func value(_ metric: Metric, _ predictions: Tensor, _ targets: Tensor) throws -> Double {
        try MeasuredMetric.value(metric, predictions, targets)
    }
}

/// The metric that Keras's name and arguments mean.
private func makeMetric(_ name: String, _ values: LearningFixture.Arguments) throws -> Metric {
    let arguments = KerasArguments(values: values)
    let threshold = values["thresholds"]?.number ?? values["threshold"]?.number
    let (topK, classID) = (values["top_k"]?.number.map { Int($0) }, values["class_id"]?.number.map { Int($0) })
    let average: ClassAverage =
        switch values["average"]?.text {
        case "micro": .micro
        case "weighted": .weighted
        default: .macro
        }
    switch name {
    case "Precision": return .precision(threshold: threshold, topK: topK, classID: classID)
    case "Recall": return .recall(threshold: threshold, topK: topK, classID: classID)
    case "F1Score": return .f1Score(average: average, threshold: threshold)
    case "FBetaScore":
        return .fBetaScore(beta: Double(arguments.number("beta", 1)), average: average, threshold: threshold)
    case "AUC":
        let summation: AUCSummation =
            switch values["summation_method"]?.text {
            case "minoring": .minoring
            case "majoring": .majoring
            default: .interpolation
            }
        return .auc(
            curve: values["curve"]?.text == "PR" ? .pr : .roc, thresholds: arguments.integer("num_thresholds", 200),
            summation: summation, fromLogits: arguments.flag("from_logits"))
    case "TopKCategoricalAccuracy": return .topKCategoricalAccuracy(k: arguments.integer("k", 5))
    case "SparseTopKCategoricalAccuracy": return .sparseTopKCategoricalAccuracy(k: arguments.integer("k", 5))
    case "MeanAbsoluteError": return .meanAbsoluteError
    case "MeanSquaredError": return .meanSquaredError
    case "RootMeanSquaredError": return .rootMeanSquaredError
    default: throw GraftError(.argument, "no metric \(name)")
    }
}
