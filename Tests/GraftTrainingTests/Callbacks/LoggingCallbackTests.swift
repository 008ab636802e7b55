import Foundation
import GraftGraph
import GraftModel
import Testing

@testable import GraftReports
@testable import GraftTraining

/// Callbacks that write files.
@Suite struct LoggingCallbackTests {
    private func log(_ rows: [[String: Double]], from first: Int = 0, to logger: CSVLogger, in run: TrainingRun) throws
    {
        for (index, row) in rows.enumerated() {
            try logger.handle(.epoch(EpochReport(epoch: first + index + 1, figures: row, seconds: 0)), in: run)
        }
    }

    @Test func tablesAreThoseOfKeras() throws {
        for expected in try CallbackFixture.load().tables {
            try withFolder { folder in
                let (path, played) = ("\(folder)/log.csv", try PlayedRun())
                try expected.before?.write(toFile: path, atomically: true, encoding: .utf8)
                let logger = CSVLogger(path, separator: expected.separator, append: expected.before != nil)
                try played.begin(logger)
                try log(expected.rows, to: logger, in: played.run)
                try played.end(logger)
                let text = try String(contentsOfFile: path, encoding: .utf8)
                #expect(text == expected.text)
            }
        }
    }

    @Test(arguments: [true, false])
    func aTableThatIsTakenUpHasEachEpochOnce(append: Bool) throws {
        let expected = try #require(try CallbackFixture.load().tables.first { $0.before?.isEmpty != append })
        try withFolder { folder in
            let (path, played) = ("\(folder)/log.csv", try PlayedRun())
            try expected.before?.write(toFile: path, atomically: true, encoding: .utf8)
            func logger() -> CSVLogger {
                CSVLogger(path, separator: expected.separator, append: expected.before != nil)
            }
            let (before, after) = (logger(), logger())
            try played.begin(before)
            try log(Array(expected.rows[..<3]), to: before, in: played.run)
            let state = try #require(before.state)
            try log(Array(expected.rows[3..<5]), from: 3, to: before, in: played.run)
            try played.begin(after)
            try after.restore(state)
            try log(Array(expected.rows[3...]), from: 3, to: after, in: played.run)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == expected.text)
        }
    }

    @Test func aTableThatCannotBeWrittenIsRefusedBeforeTraining() throws {
        let played = try PlayedRun()
        #expect {
            try played.begin(CSVLogger("/nowhere/log.csv"))
        } throws: {
            ($0 as? GraftError)?.message == "cannot open /nowhere/log.csv: no such file or directory"
        }
    }

    // MARK: TensorBoard

    /// RFC 3720, B.4, and the check value of the CRC catalogue.
    @Test func checksumsAreThoseOfTheStandard() {
        #expect(CRC32C.checksum(of: [UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum(of: [UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(of: Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum(of: Array("123456789".utf8)) == 0xE306_9283)
    }

    /// By hand from the encoding's rules: tag "a" of the scalars' plugin, class 1, a float of no dimensions.
    @Test func aScalarIsEncodedAsTheRulesSay() {
        let metadata: [UInt8] = [0x0A, 9, 0x0A, 7] + Array("scalars".utf8) + [0x20, 1]
        let tensor: [UInt8] = [0x08, 1, 0x12, 0, 0x22, 4, 0, 0, 0xC0, 0x3F]
        let value = [0x0A, 1, 0x61, 0x4A, UInt8(metadata.count)] + metadata + [0x42, UInt8(tensor.count)] + tensor
        #expect(TensorBoardSummary("a", scalar: 1.5).message.bytes == [0x0A, UInt8(value.count)] + value)
    }

    @Test func histogramsHaveTensorBoardsBuckets() throws {
        let expected = try CallbackFixture.load().tensorboard
        let rows = HistogramBuckets.rows(of: Tensor(expected.kernel, shape: [expected.kernel.count]))
        #expect(rows.count == 30)
        for (value, wanted) in zip(rows.joined(), expected.histogram) {
            // Edges are computed in 64 bits on both sides, in another order.
            #expect(abs(value - wanted) <= 1e-15)
        }
        let same = HistogramBuckets.rows(of: Tensor(repeating: 2, shape: [5]))
        #expect(same.last == [2, 2, 5])
        #expect(same.dropLast().allSatisfy { $0 == [2, 2, 0] })
    }

    private func board(_ folder: String) -> TensorBoard {
        TensorBoard(logDir: folder, histogramFreq: 2, updateFreq: .batch)
    }

    private func fit(_ callback: any Callback, epochs: Int = 3) throws -> History {
        let model = try Sequential([Dense(1, activation: .sigmoid, name: "dense")], inputShape: [4], name: "sequential")
        try model.compile(optimizer: SGD(learningRate: 0.01), loss: .binaryCrossentropy, metrics: [.accuracy])
        let random = RandomStream(key: 1, stream: 0)
        let data = try ArrayDataset(
            inputs: Tensor((0..<80).map { random.uniform(at: $0) - 0.5 }, shape: [20, 4]),
            targets: Tensor((0..<20).map { Float($0 % 2) }, shape: [20]))
        return try model.fit(
            data, batchSize: 8, epochs: epochs, validation: data, callbacks: [callback], options: temporary)
    }

    @Test func tagsAndStepsAreThoseOfKerasAndValuesThoseOfTheHistory() throws {
        let expected = try CallbackFixture.load().tensorboard.steps
        try withFolder { folder in
            let history = try fit(board(folder))
            for part in ["train", "validation"] {
                let events = try EventReader.values(in: "\(folder)/\(part)")
                // Variables' paths begin with the model's name in Keras, with the layer's in Graft.
                let wanted = try #require(expected[part]).map { tag, steps in
                    (tag.replacing("sequential/", with: ""), steps)
                }
                #expect(events.mapValues { $0.map(\.step) } == Dictionary(uniqueKeysWithValues: wanted))
                for key in ["loss", "accuracy"] {
                    let figures = history[part == "train" ? key : "val_\(key)"].map(Float.init)
                    #expect(events["epoch_\(key)"]?.map(\.value) == figures)
                }
            }
            let rates = try EventReader.values(in: "\(folder)/train")["epoch_learning_rate"]
            #expect(rates?.map(\.value) == [0.01, 0.01, 0.01])
        }
    }

    @Test func eventsThatAreTakenUpHaveEachStepOnce() throws {
        try withFolder { folder in
            let first = board(folder)
            var state: CallbackState?
            let interrupted = LambdaCallback(
                onTrainBegin: { try first.handle(.began($0), in: $1) },
                onTrainBatchEnd: { report, run in
                    try first.handle(.step(report), in: run)
                    if report.epoch == 2, report.step == 2 { state = first.state }
                },
                onEpochEnd: { try first.handle(.epoch($0), in: $1) })
            _ = try fit(interrupted)
            let whole = try ["train", "validation"].map { try EventReader.values(in: "\(folder)/\($0)") }
            let kept = try #require(state)

            let second = board(folder)
            let resumed = LambdaCallback(
                onTrainBegin: {
                    try second.handle(.began($0), in: $1)
                    try second.restore(kept)
                },
                onTrainBatchEnd: { report, run in
                    if (report.epoch, report.step) > (2, 2) { try second.handle(.step(report), in: run) }
                },
                onEpochEnd: { report, run in
                    if report.epoch > 1 { try second.handle(.epoch(report), in: run) }
                })
            _ = try fit(resumed)
            let again = try ["train", "validation"].map { try EventReader.values(in: "\(folder)/\($0)") }
            for (one, other) in zip(whole, again) {
                #expect(one.mapValues { $0.map(\.step) } == other.mapValues { $0.map(\.step) })
                #expect(one.mapValues { $0.map(\.value) } == other.mapValues { $0.map(\.value) })
            }
        }
    }

    @Test func negativeFrequenciesAreRefused() throws {
        let played = try PlayedRun()
        #expect {
            try played.begin(TensorBoard(histogramFreq: -1))
        } throws: { ($0 as? GraftError)?.code == .argument }
    }
}
