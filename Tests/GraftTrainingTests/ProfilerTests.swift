import Foundation
import GraftCPU
import GraftGraph
import GraftModel
import Testing

@testable import GraftReports
@testable import GraftTraining

/// The table and the trace of a run of `fit`.
@Suite struct ProfilerTests {
    /// An event of the trace, with what Chrome's format asks for.
    struct Event {
        let name: String
        let category: String
        let start: Double
        let duration: Double
        let lane: Int
        let kernel: String?
        var end: Double { start + duration }

        /// `nil` where a field is missing or of the wrong type.
        init?(_ object: [String: Any]) {
            guard object["ph"] as? String == "X", let name = object["name"] as? String,
                let category = object["cat"] as? String, let start = object["ts"] as? Double,
                let duration = object["dur"] as? Double, let lane = object["tid"] as? Int, object["pid"] is Int
            else { return nil }
            (self.name, self.category, self.start, self.duration) = (name, category, start, duration)
            (self.lane, kernel) = (lane, (object["args"] as? [String: Any])?["kernel"] as? String)
        }
    }

    /// Two epochs of three steps on kept features, with validation.
    static func profile() throws -> Profiler {
        let model = try Sequential(
            [
                Conv2D(4, kernelSize: 3, activation: .relu), Flatten(), Dense(8, activation: .relu),
                Dense(1, activation: .sigmoid),
            ], inputShape: [6, 6, 2])
        model.layers[0].trainable = false
        try model.compile(optimizer: SGD(learningRate: 0.1), loss: .binaryCrossentropy)
        func examples(_ count: Int) throws -> ArrayDataset {
            let numbers = (0..<count * 72).map { Float($0 % 13) / 13 }
            return try ArrayDataset(
                inputs: Tensor(numbers, shape: [count, 6, 6, 2]),
                targets: Tensor((0..<count).map { Float($0 % 2) }, shape: [count]))
        }
        let profiler = Profiler()
        var options = TrainingOptions(features: .temporary, threads: 2)
        options.profiler = profiler
        try model.fit(examples(24), batchSize: 8, epochs: 2, validation: examples(8), options: options)
        return profiler
    }

    static func trace(_ profiler: Profiler) throws -> [[String: Any]] {
        let text = ProfileTrace(profiler.timeline).json
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require((object as? [String: Any])?["traceEvents"] as? [[String: Any]])
    }

    @Test func everyEventHasTheFieldsOfChromesFormat() throws {
        for object in try Self.trace(Self.profile()) {
            if object["ph"] as? String == "M" {
                #expect(["process_name", "thread_name"].contains(object["name"] as? String))
                #expect((object["args"] as? [String: Any])?["name"] is String)
            } else {
                #expect(Event(object) != nil, "\(object)")
            }
        }
    }

    @Test func theTraceShowsFeaturesEpochsStepsAndReading() throws {
        let events = try Self.trace(Self.profile()).compactMap(Event.init)
        let names = Set(events.map(\.name))
        for name in ["fit", "features", "epoch 1", "epoch 2", "step 1", "step 3", "validation", "training step"] {
            #expect(names.contains(name), "no \(name) among \(names.sorted())")
        }
        #expect(names.isSuperset(of: ["decode", "read features", "conv2d", "dense"]))
        let lanes = Set(events.filter { $0.category == "read" }.map(\.lane))
        #expect(lanes.isDisjoint(with: events.filter { $0.category == "epoch" }.map(\.lane)))
    }

    /// On each thread a span lies within the one that it began in, or behind it: what a viewer can draw.
    @Test func spansNest() throws {
        let events = try Self.trace(Self.profile()).compactMap(Event.init)
        for lane in Set(events.map(\.lane)) {
            var open: [Event] = []
            for event in events where event.lane == lane {
                // Times are whole nanoseconds.
                while let last = open.last, last.end <= event.start + 5e-4 { open.removeLast() }
                if let last = open.last {
                    #expect(
                        event.end <= last.end + 1.5e-3,
                        "\(event.name) \(event.end) ends behind \(last.name) \(last.end)")
                }
                open.append(event)
            }
        }
    }

    @Test func theTablesAddUpToTheTracesSpans() throws {
        let profiler = try Self.profile()
        let report = profiler.report()
        let all = try Self.trace(profiler).compactMap(Event.init)
        let (events, lane) = (all.filter { $0.kernel != nil }, try #require(all.first { $0.name == "fit" }).lane)
        // Two runs of the trunk go on at once, each on one of two threads.
        let trunk = events.filter { $0.lane != lane }
        #expect(Set(trunk.map(\.lane)).count == 2)
        let seconds = events.reduce(0) { $0 + ($1.lane == lane ? 1 : 0.5) * $1.duration } * 1e-6
        // Each end is rounded down to a nanosecond.
        let bound = 1e-9 * Double(events.count + 1)
        #expect(abs(report.seconds - seconds) <= bound)
        #expect(abs(report.operations.reduce(0) { $0 + $1.seconds } - report.seconds) < 1e-9)
        #expect(abs(report.layers.reduce(0) { $0 + $1.seconds } - report.seconds) < 1e-9)
        #expect(report.operations.reduce(0) { $0 + $1.count } == events.count)
        let dense = try #require(report.layers.first { $0.name == "dense" })
        let spans = events.filter { $0.name == "dense" }
        #expect(abs(dense.seconds - spans.reduce(0) { $0 + $1.duration } * 1e-6) <= bound)
    }

    @Test func updatesBelongToTheirLayers() throws {
        let layers = try Self.profile().report().layers.map(\.name)
        #expect(layers.contains("dense") && layers.contains("dense_1"))
    }

    @Test func sharesAreOfTheLimits() throws {
        let step = StepProfile(
            label: "a", operation: "convolution", implementation: "kernel", count: 2, seconds: 4, flopCount: 100,
            byteCount: 1)
        let limits = MachineLimits(flopsPerSecond: 100, bytesPerSecond: 100)
        let report = ProfileReport([step], limits: limits)
        #expect(report.operations[0].shareOfLimit == 0.5)
        #expect(report.description.contains("50 %"))
    }

    @Test func namesOfAnyKindStayJSON() throws {
        let name = "a\"b\\c\n\u{1}\u{2028}ü"
        let text = ProfileTrace.quoted(name)
        let back = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        #expect(back as? String == name)
    }

    @Test func aModelThatWasProfiledIsNotProfiledAfterwards() throws {
        let model = try Sequential([Dense(2)], inputShape: [3])
        let profiler = Profiler()
        var options = TrainingOptions(threads: 1)
        options.profiler = profiler
        let input = Tensor(repeating: 1, shape: [1, 3])
        let first = try model.predict(input, options: options)
        let count = profiler.timeline.steps.reduce(0) { $0 + $1.count }
        let second = try model.predict(input, options: TrainingOptions(threads: 1))
        #expect(count > 0 && profiler.timeline.steps.reduce(0) { $0 + $1.count } == count)
        #expect(first.scalars == second.scalars)
    }
}
