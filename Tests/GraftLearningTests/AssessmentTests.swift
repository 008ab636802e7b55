import GraftGraph
import GraftLearning
import Testing

/// Formulas that say what a model is worth, on numbers that were worked out by hand.
@Suite struct AssessmentTests {
    private func table(_ rows: [[Double]]) -> ClassProbabilities {
        var result = ClassProbabilities(classCount: rows[0].count == 1 ? 2 : rows[0].count)
        for row in rows { result.append(outputs: row) }
        return result
    }

    @Test func oneOutputIsTheSecondOfTwoClasses() {
        let probabilities = table([[0.9], [0.2]])
        #expect(Array(probabilities[0]) == [1 - 0.9, 0.9] && probabilities.best(0) == 1 && probabilities.best(1) == 0)
        #expect(probabilities.confidence(1) == 0.8)
    }

    @Test func intervalsAreWilsons() {
        // R: binom::binom.confint(8, 10, methods = "wilson") gives 0.4901625 and 0.9433178.
        let interval = Proportion(8, of: 10).interval
        #expect(abs(interval.lowerBound - 0.4901625) < 1e-6 && abs(interval.upperBound - 0.9433178) < 1e-6)
        #expect(Proportion(0, of: 0).interval == 0...1)
        #expect(abs(Proportion(10, of: 10).interval.upperBound - 1) < 1e-12)
    }

    /// Expected values: scipy 1.17.1, `ks_2samp(x, y, method="exact")`. The formula is of large groups and a series: 2 % off at 100.
    @Test func theTestOfTwoSamplesIsKolmogorovsAndSmirnovs() {
        func spread(_ count: Int, _ step: Int, _ start: Int, _ modulus: Int) -> [Double] {
            (0..<count).map { (place: Int) -> Double in Double((place * step + start) % modulus) / Double(modulus) }
        }
        let test = KolmogorovSmirnov(spread(100, 37, 0, 101), spread(90, 53, 11, 97).map { $0 * 0.8 })
        #expect(abs(test.difference - 0.21) < 1e-12)
        #expect(abs(test.probability - 0.025677) < 0.02 * 0.025677)
        let like = KolmogorovSmirnov(spread(400, 37, 0, 101), spread(100, 53, 11, 97).map { $0 * 0.9 + 0.05 })
        #expect(abs(like.difference - 0.06) < 1e-12)
        #expect(abs(like.probability - 0.92628) < 0.02)
        #expect(KolmogorovSmirnov([1, 1], [1]).probability == 1 && KolmogorovSmirnov([], [1]).probability == 1)
        #expect(KolmogorovSmirnov([1, 2], [3, 4]).difference == 1)
    }

    /// Expected: scipy 1.17.1, `mannwhitneyu(…, method="asymptotic", use_continuity=False)`.
    @Test func ranksHaveTheirProbability() {
        let statistics = RankStatistics([1, 2, 3, 4, 5, 9], [2.5, 6, 7, 8, 10, 11])
        #expect(abs(statistics.probability - 0.0781690858) < 1e-9)
    }

    @Test func equalNumbersCountHalf() {
        // Of six pairs one is smaller, three are larger and two are equal.
        let statistics = RankStatistics([1, 2, 2], [2, 0])
        #expect(abs(statistics.areaUnderCurve - 4.0 / 6) < 1e-12)
        #expect(RankStatistics([], [1]).areaUnderCurve == 0.5)
        // (AUC − ½) / √((m + n + 1) / (12 m n)), with m = 3 and n = 2.
        #expect(abs(statistics.deviations - (1.0 / 6) / (6.0 / 72).squareRoot()) < 1e-12)
    }

    @Test func aThresholdLetsSoManyThrough() {
        #expect(RankStatistics.falsePositiveRate(atRecall: 0.5, [4, 3, 2, 1], [3.5, 2.5, 0, 0]) == 0.25)
        #expect(RankStatistics.falsePositiveRate(atRecall: 1, [4, 3, 2, 1], [3.5, 2.5, 0, 0]) == 0.5)
    }

    @Test func calibrationComparesConfidenceWithAccuracy() {
        // Two answers at 0.95, one of them right, and two at 0.65, both right, in ten intervals.
        let calibration = Calibration(
            table([[0.05, 0.95], [0.95, 0.05], [0.65, 0.35], [0.35, 0.65]]), labels: [1, 1, 0, 1], binCount: 10)
        #expect(calibration.bins[9].count == 2 && calibration.bins[9].accuracy == 0.5)
        #expect(calibration.bins[6].count == 2 && calibration.bins[6].accuracy == 1)
        #expect(abs(calibration.expectedError - (0.5 * 0.45 + 0.5 * 0.35)) < 1e-12)
    }

    @Test func temperatureUndoesWhatMadeAModelTooSure() {
        // 80 of 100 answers are right; given are the probabilities whose logits are twice those of 0.8.
        let sure = 16.0 / 17
        let probabilities = table((0..<100).map { _ in [1 - sure, sure] })
        let temperature = Temperature(fitting: probabilities, labels: (0..<100).map { $0 < 80 ? 1 : 0 })
        #expect(abs(temperature.value - 2) < 1e-3)
        #expect(abs(temperature(probabilities).confidence(0) - 0.8) < 1e-4)
    }

    @Test func setsHoldTheRightClassAtTheirRate() {
        // Scores 0.1, 0.2, …, 0.9; of nine examples the eighth is that of ⌈10 · 0.8⌉.
        let sets = ConformalSets(scores: (1...9).map { Double($0) / 10 })
        #expect(sets.threshold(coverage: 0.8) == 0.8 && sets.threshold(coverage: 0.05) == 0.1)
        #expect(sets.classes(of: [0.15, 0.6, 0.25], coverage: 0.8) == [1, 2])
        // Too few examples to promise it: every class.
        #expect(sets.classes(of: [0.0, 1.0], coverage: 0.95) == [1, 0])
    }

    @Test func labelsAreDoubtedWhereAnotherClassIsConfident() {
        // Class 0 is confident from 0.7 on (the mean of 0.9, 0.9 and 0.3), class 1 from 0.6 on.
        let found = LabelSuspects(
            table([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.2, 0.8], [0.8, 0.2]]), labels: [0, 0, 0, 1, 1, 1])
        #expect(found.suspects.map(\.row) == [5, 2])
        #expect(found.suspects.map(\.suggestion) == [0, 1] && found.suspects[0].given == 0.2)
        #expect(found.ranking.prefix(2).map(\.row) == [5, 2])
    }

    @Test func componentsFollowTheLargestDifferences() {
        // Points along (3, 4) / 5, and a tenth as far across.
        let points: [(Double, Double)] = [(-2, 0), (2, 0), (0, 0.2), (0, -0.2)]
        var vectors: [Float] = []
        for (along, across) in points {
            vectors.append(Float(10 + 0.6 * along - 0.8 * across))
            vectors.append(Float(0.8 * along + 0.6 * across))
        }
        let components = PrincipalComponents(of: Tensor(vectors, shape: [4, 2]))
        #expect(abs(components.shares[0] - 8 / 8.08) < 1e-5 && abs(components.shares[1] - 0.08 / 8.08) < 1e-5)
        #expect(abs(abs(components.coordinates[0][0]) - 2) < 1e-5 && abs(components.coordinates[2][0]) < 1e-5)
        #expect(abs(abs(components.directions[0][0]) - 0.6) < 1e-5)
    }

    @Test func aCurveIsFoundAgain() throws {
        let points = [10, 20, 50, 100, 400].map { (count: Int) -> SampleSizeCurve.Point in
            SampleSizeCurve.Point(count: count, error: 0.05 + 0.8 / Double(count).squareRoot())
        }
        let curve = try #require(SampleSizeCurve(fitting: points))
        #expect(abs(curve.floor - 0.05) < 1e-6 && abs(curve.error(count: 1600) - 0.07) < 1e-6)
        #expect(SampleSizeCurve(fitting: Array(points.prefix(2))) == nil)
    }

    @Test func distanceIsMahalanobis() throws {
        // One class of (±1, ±2): independent features of variance 1 and 4, so that (3, 4) is at 9 + 4, over 2 features.
        let features = Tensor([1, 2, -1, 2, 1, -2, -1, -2], shape: [4, 2])
        let distance = try #require(FeatureDistance(learningFrom: features, labels: [0, 0, 0, 0]))
        #expect(abs(distance(Tensor([3, 4], shape: [1, 2]))[0] - 6.5) < 1e-4)
        // Of two classes the nearer one counts.
        let two = Tensor([0, 0, 1, 0, 0, 1, 1, 1, 10, 10, 11, 10, 10, 11, 11, 11], shape: [8, 2])
        let nearest = try #require(FeatureDistance(learningFrom: two, labels: [0, 0, 0, 0, 1, 1, 1, 1]))
        let found = nearest(Tensor([0.5, 0.5, 10.5, 10.5, 5.5, 5.5], shape: [3, 2]))
        #expect(found[0] < 1e-3 && found[1] < 1e-3 && found[2] > 20)
        #expect(FeatureDistance(learningFrom: features, labels: [0]) == nil)
        #expect(nearest(Tensor([1, 2, 3], shape: [1, 3]))[0].isNaN)
    }
}
