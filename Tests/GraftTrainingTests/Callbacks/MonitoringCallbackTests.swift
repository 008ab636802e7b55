import GraftGraph
import GraftModel
import Testing

@testable import GraftReports
@testable import GraftTraining

/// Callbacks that compare a figure with the best, epoch by epoch as Keras's do.
@Suite struct MonitoringCallbackTests {
    private func earlyStopping(_ expected: CallbackFixture.Case) -> EarlyStopping {
        EarlyStopping(
            monitor: expected.monitor, minDelta: expected.arguments.minDelta ?? 0,
            patience: expected.arguments.patience ?? 0, mode: expected.mode, baseline: expected.arguments.baseline,
            restoreBestWeights: true, startFromEpoch: expected.arguments.startFromEpoch ?? 0)
    }

    private func plateau(_ expected: CallbackFixture.Case) -> ReduceLROnPlateau {
        ReduceLROnPlateau(
            monitor: expected.monitor, factor: expected.arguments.factor ?? 0.1,
            patience: expected.arguments.patience ?? 10, mode: expected.mode,
            minDelta: expected.arguments.minDelta ?? 1e-4, cooldown: expected.arguments.cooldown ?? 0,
            minLR: expected.arguments.minLR ?? 0)
    }

    @Test func earlyStoppingStopsAndGivesBackWeightsWhereKerasDoes() throws {
        let fixture = try CallbackFixture.load()
        for expected in fixture.earlyStopping {
            let (played, callback) = (try PlayedRun(key: expected.monitor), earlyStopping(expected))
            try played.begin(callback)
            let epochs = try played.play(callback, fixture.series[expected.series])
            try played.end(callback)
            #expect(epochs == expected.epochs, "\(expected)")
            #expect(callback.best == expected.best, "\(expected)")
            #expect(callback.best == nil || callback.bestEpoch == expected.bestEpoch, "\(expected)")
            #expect(played.variable.value[0] == expected.weights.map(Float.init), "\(expected)")
            #expect((callback.stoppedEpoch != nil) == (epochs < 12 || played.run.isStopping), "\(expected)")
        }
        #expect(fixture.earlyStopping.count == 768)
    }

    @Test(arguments: [1, 3, 6])
    func earlyStoppingGoesOnFromItsStateAsIfNothingHadHappened(cut: Int) throws {
        let fixture = try CallbackFixture.load()
        for expected in fixture.earlyStopping where expected.epochs ?? 0 > cut {
            let values = fixture.series[expected.series]
            let (first, before) = (try PlayedRun(key: expected.monitor), earlyStopping(expected))
            try first.begin(before)
            try first.play(before, Array(values[..<cut]))
            let (played, callback) = (try PlayedRun(key: expected.monitor), earlyStopping(expected))
            try played.begin(callback)
            try callback.restore(#require(before.state))
            let epochs = try played.play(callback, Array(values[cut...]), from: cut + 1)
            try played.end(callback)
            #expect(epochs == expected.epochs, "\(expected)")
            #expect(callback.best == expected.best, "\(expected)")
            #expect(played.variable.value[0] == expected.weights.map(Float.init), "\(expected)")
        }
    }

    @Test func plateausReduceTheLearningRateAsInKeras() throws {
        let fixture = try CallbackFixture.load()
        for expected in fixture.plateau {
            let (played, callback) = (try PlayedRun(key: expected.monitor), plateau(expected))
            var rates: [Float] = []
            try played.begin(callback)
            try played.play(callback, fixture.series[expected.series]) { _ in rates.append(played.run.learningRate) }
            #expect(rates == expected.rates, "\(expected)")
            let reduced = zip([0.5] + rates, rates).enumerated().filter { $0.element.0 != $0.element.1 }
            #expect(callback.reductions.map(\.epoch) == reduced.map { $0.offset + 1 }, "\(expected)")
        }
        #expect(fixture.plateau.count == 384)
    }

    @Test func plateausGoOnFromTheirState() throws {
        let fixture = try CallbackFixture.load()
        for expected in fixture.plateau {
            let values = fixture.series[expected.series]
            let (first, before) = (try PlayedRun(key: expected.monitor), plateau(expected))
            try first.begin(before)
            try first.play(before, Array(values[..<5]))
            let (played, callback) = (
                try PlayedRun(key: expected.monitor, rate: first.run.learningRate), plateau(expected)
            )
            var rates: [Float] = []
            try played.begin(callback)
            try callback.restore(#require(before.state))
            try played.play(callback, Array(values[5...]), from: 6) { _ in rates.append(played.run.learningRate) }
            #expect(rates == expected.rates.map { Array($0[5...]) }, "\(expected)")
        }
    }

    @Test func checkpointsSaveTheEpochsAndNamesThatKerasDoes() throws {
        let fixture = try CallbackFixture.load()
        for expected in fixture.checkpoint {
            let played = try PlayedRun(key: expected.monitor)
            var (saved, weights): ([String], [Float]) = ([], [])
            let callback = ModelCheckpoint(
                try #require(expected.name), monitor: expected.monitor,
                saveBestOnly: expected.arguments.saveBestOnly == true, mode: expected.mode,
                initialValueThreshold: expected.arguments.initialValueThreshold
            ) { model, path in
                saved.append(path)
                weights.append(model.variables[0].value[0])
            }
            try played.begin(callback)
            try played.play(callback, fixture.series[expected.series])
            #expect(saved == expected.saved, "\(expected)")
            #expect(weights.map { Int($0) } == saved.compactMap { Int($0.prefix(2)) })
            #expect(callback.savedPath == saved.last)
        }
        #expect(fixture.checkpoint.count == 72)
    }

    @Test func aCheckpointThatIsTakenUpKeepsTheBestModel() throws {
        var saved: [String] = []
        func checkpoint() -> ModelCheckpoint {
            ModelCheckpoint("{epoch}.keras", saveBestOnly: true) { _, path in saved.append(path) }
        }
        let (played, before, after) = (try PlayedRun(), checkpoint(), checkpoint())
        try played.begin(before)
        try played.play(before, [0.5, 0.4])
        try played.begin(after)
        try after.restore(#require(before.state))
        #expect(after.savedPath == "2.keras")
        try played.play(after, [0.45, 0.39], from: 3)
        #expect(saved == ["1.keras", "2.keras", "4.keras"])
    }

    @Test func schedulersSetTheRatesOfKeras() throws {
        for expected in try CallbackFixture.load().schedulers {
            let callback = LearningRateScheduler { epoch, rate in
                expected.schedule == "halving" ? rate * 0.5 : Float(0.01 * Double(epoch + 1))
            }
            let played = try PlayedRun()
            var rates: [Float] = []
            try played.begin(callback)
            try played.play(callback, [1, 1, 1]) { _ in rates.append(played.run.learningRate) }
            // An epoch that began before the interruption keeps its rate.
            let state = try #require(callback.state)
            try played.begin(callback)
            try callback.restore(state)
            try callback.handle(.epochBegan(3), in: played.run)
            #expect(played.run.learningRate == rates.last)
            try played.play(callback, [1, 1], from: 4) { _ in rates.append(played.run.learningRate) }
            #expect(rates == expected.rates)
        }
    }

    @Test func anInterruptedRunKeepsItsLastEpoch() throws {
        let (played, callback) = (try PlayedRun(), EarlyStopping(patience: 9, restoreBestWeights: true))
        try played.begin(callback)
        try played.play(callback, [0.5, 0.4, 0.6])
        try played.end(callback, interrupted: true)
        #expect(played.variable.value[0] == 3)
    }

    @Test func aFigureThatIsNoNumberNeverIsTheBest() throws {
        let (played, callback) = (try PlayedRun(), EarlyStopping(patience: 3))
        try played.begin(callback)
        try played.play(callback, [.nan, 0.5, .nan, 0.4])
        #expect(callback.best == 0.4)
        #expect(callback.bestEpoch == 4)
    }

    @Test func bestWeightsAreSharedNotCopied() throws {
        let (played, callback) = (try PlayedRun(), EarlyStopping(restoreBestWeights: true))
        try played.begin(callback)
        try played.play(callback, [0.5])
        let kept = try #require(callback.state?.tensors[played.variable.path])
        #expect(
            kept.withUnsafeBuffer { $0.baseAddress } == played.variable.value.withUnsafeBuffer { $0.baseAddress })
    }

    // MARK: Errors

    @Test func whatIsNotMeasuredIsRefusedBeforeTraining() throws {
        let callbacks: [any Callback] = [
            EarlyStopping(), ReduceLROnPlateau(), ModelCheckpoint("a.keras", saveBestOnly: true) { _, _ in },
        ]
        for callback in callbacks {
            let played = try PlayedRun()
            #expect {
                try played.begin(callback, validation: 0)
            } throws: {
                ($0 as? GraftError)?.message
                    == "\(type(of: callback)) monitors val_loss, but this run measures loss, accuracy, auc, own; give `fit` "
                    + "validation examples, or monitor one of these"
            }
        }
    }

    @Test func aMetricWithoutDirectionNeedsAMode() throws {
        let played = try PlayedRun()
        #expect {
            try played.begin(EarlyStopping(monitor: "val_own"))
        } throws: {
            ($0 as? GraftError)?.message
                == "EarlyStopping monitors val_own, whose metric does not say which way it improves; give `mode` .min or "
                + ".max, or the metric a direction"
        }
        try played.begin(EarlyStopping(monitor: "val_own", mode: .max))
        try played.begin(EarlyStopping(monitor: "auc"))
    }

    @Test(arguments: [1, 1.5, -0.1, .nan])
    func factorsOutsideTheirRangeAreRefused(factor: Double) throws {
        let played = try PlayedRun()
        #expect {
            try played.begin(ReduceLROnPlateau(factor: factor))
        } throws: {
            ($0 as? GraftError)?.message
                == "the factor of ReduceLROnPlateau is \(factor); it must be 0 or more and below 1"
        }
    }

    @Test(arguments: [
        ("{epoch.keras", "the path {epoch.keras has a { without a }"),
        ("{f1}.keras", "the path {f1}.keras names f1; this run has epoch, accuracy, auc, loss, own"),
        (
            "{loss:e}.keras",
            "the path {loss:e}.keras has the format :e; use :02d for the epoch and :.2f for figures"
        ),
    ])
    func pathsThatCannotBeFilledAreRefusedBeforeTraining(path: String, message: String) throws {
        let played = try PlayedRun()
        #expect {
            try played.begin(ModelCheckpoint(path) { _, _ in }, validation: 0)
        } throws: { ($0 as? GraftError)?.message == message }
    }

    @Test func statesOfOtherCallbacksAreRefused() throws {
        let played = try PlayedRun()
        let foreign = CallbackState(values: ["something": 1], tensors: ["kernel": Tensor(1)])
        let callbacks: [any Callback] = [
            EarlyStopping(restoreBestWeights: true), ReduceLROnPlateau(), LearningRateScheduler { $1 },
            CSVLogger("unused.csv"), TensorBoard(), ModelCheckpoint("a.keras") { _, _ in },
        ]
        for callback in callbacks {
            #expect { try callback.restore(foreign) } throws: { ($0 as? GraftError)?.code == .format }
        }
        let wrong = CallbackState(
            values: ["best": "low", "bestEpoch": nil, "stoppedEpoch": nil, "wait": 0], tensors: [:])
        #expect {
            try EarlyStopping().restore(wrong)
        } throws: { ($0 as? GraftError)?.message.contains("best is string(\"low\"), not a number") == true }
        _ = played
    }
}
