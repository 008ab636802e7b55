import GraftGraph
import GraftModel

/// What one or several calls of `fit` measured, one after another: first the head, then some of the base.
public struct LearningCurve: Sendable, Hashable {
    /// A stretch of training with the same layers frozen.
    public struct Phase: Sendable, Hashable {
        /// What it is called: `head`, `fine-tuning`.
        public var name: String
        /// What happened when it began, for the chart: `unfrozen from mixed5`; `nil` where nothing did.
        public var event: String?
        /// The number of its first epoch, counted through all phases from 1.
        public var firstEpoch: Int
    }

    /// What was measured in an epoch.
    public struct Epoch: Sendable, Hashable {
        /// Its number, counted through all phases from 1.
        public var number: Int
        /// The name of its phase.
        public var phase: String
        /// Its figures under Keras's keys: `loss`, `accuracy`, `val_loss`, `val_accuracy`.
        public var figures: [String: Double]
        /// Its wall time, validation included.
        public var seconds: Double
    }

    /// The phases in order; at least one where there is an epoch.
    public private(set) var phases: [Phase] = []
    /// The epochs in order.
    public private(set) var epochs: [Epoch] = []

    /// A curve without epochs.
    public init() {}

    /// Begins a phase with the next epoch.
    public mutating func begin(_ name: String, event: String? = nil) {
        let phase = Phase(name: name, event: event, firstEpoch: epochs.count + 1)
        if phases.last?.firstEpoch == phase.firstEpoch { phases.removeLast() }
        phases.append(phase)
    }

    /// Adds an epoch to the last phase; to one called `training` where none was begun.
    public mutating func append(_ figures: [String: Double], seconds: Double) {
        if phases.isEmpty { begin("training") }
        let phase = phases.last?.name ?? "training"
        epochs.append(Epoch(number: epochs.count + 1, phase: phase, figures: figures, seconds: seconds))
    }

    /// The names of the figures of training: metrics in the order of the alphabet, then the loss.
    public var keys: [String] {
        let all = Set(epochs.flatMap(\.figures.keys)).map { $0.hasPrefix("val_") ? String($0.dropFirst(4)) : $0 }
        let metrics = Set(all).subtracting(["loss"]).sorted()
        return metrics + (all.contains("loss") ? ["loss"] : [])
    }

    /// An epoch's number and its figure, for the epochs that have it.
    public subscript(key: String) -> [(epoch: Int, value: Double)] {
        epochs.compactMap { epoch in epoch.figures[key].map { (epoch.number, $0) } }
    }
}

extension LearningCurve {
    /// As a checkpoint keeps it.
    var configuration: Configuration {
        [
            "phases": .array(
                phases.map {
                    [
                        "name": .string($0.name), "event": $0.event.map { .string($0) } ?? .null,
                        "first_epoch": .int($0.firstEpoch),
                    ]
                }),
            "epochs": .array(
                epochs.map {
                    [
                        "phase": .string($0.phase), "figures": .object($0.figures.mapValues { .double($0) }),
                        "seconds": .double($0.seconds),
                    ]
                }),
        ]
    }

    /// Takes what ``configuration`` gave.
    init(configuration: Configuration) throws(GraftError) {
        let stored = StoredValues(configuration, place: "curve.")
        for phase in try stored.elements("phases") {
            let phase = StoredValues(phase, place: "curve.phases.")
            phases.append(
                Phase(
                    name: try phase.text("name"), event: phase["event"]?.text,
                    firstEpoch: try phase.integer("first_epoch", in: 1...(.max))))
        }
        for epoch in try stored.elements("epochs") {
            let epoch = StoredValues(epoch, place: "curve.epochs.")
            var figures: [String: Double] = [:]
            let kept = try epoch.part("figures")
            for key in kept.members.keys { figures[key] = try kept.number(key) }
            epochs.append(
                Epoch(
                    number: epochs.count + 1, phase: try epoch.text("phase"), figures: figures,
                    seconds: try epoch.number("seconds")))
        }
    }

    /// A table for spreadsheets: `epoch,phase,loss,accuracy,val_loss,val_accuracy,seconds`, a line an epoch, numbers
    /// with all their digits and a point, an empty cell for what was not measured.
    public var csv: String {
        let training = keys.reversed().sorted { $0 == "loss" && $1 != "loss" }
        let columns = training + training.map { "val_\($0)" }.filter { !self[$0].isEmpty }
        let header = ["epoch", "phase"] + columns + ["seconds"]
        let rows = epochs.map { epoch in
            let figures = columns.map { column in epoch.figures[column].map { "\($0)" } ?? "" }
            return ["\(epoch.number)", epoch.phase] + figures + ["\(epoch.seconds)"]
        }
        return ([header] + rows).map { $0.map(Self.cell).joined(separator: ",") }.joined(separator: "\n") + "\n"
    }

    /// A cell as RFC 4180 has it.
    private static func cell(_ text: String) -> String {
        let needsQuotes = text.contains { ",\"\n\r".contains($0) }
        return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }

    /// A panel for each figure, training against validation, with the beginning of each phase marked.
    public func chart(title: String = "Training") -> Chart {
        let markers = phases.filter { $0.firstEpoch > 1 }.map { phase in
            Chart.Marker(x: Double(phase.firstEpoch) - 0.5, label: phase.event ?? phase.name)
        }
        let axis = Chart.Axis(title: "epoch", scale: .counting)
        let panels = keys.map { key in
            let series = [("training", Chart.Role.training, key), ("validation", .validation, "val_\(key)")]
                .map { name, role, key in
                    Chart.Series(
                        name: name, role: role, points: self[key].map { Chart.Point(x: Double($0.epoch), y: $0.value) })
                }
            return Chart.Panel(
                title: key, series: series.filter { !$0.points.isEmpty }, markers: markers, horizontal: axis)
        }
        return Chart(title: title, panels: panels)
    }
}
