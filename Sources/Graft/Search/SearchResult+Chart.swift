import GraftReports

extension SearchResult {
    /// Accuracy with its interval against parameters and against time: what there is to choose between.
    public var chart: Chart {
        let complete = trials.filter { $0.isComplete && $0.candidate.isTrained }
        func size(_ trial: SearchTrial) -> Double? {
            parameterCounts[trial.candidate.features].map { Double($0) / 1e6 }
        }
        func time(_ trial: SearchTrial) -> Double? { secondsPerImage[trial.candidate.features.base].map { 1000 * $0 } }
        return Chart(
            title: "What \(trials.count) candidates came to",
            panels: [
                Self.panel("millions of parameters", complete, front: front(by: size), size),
                Self.panel("ms an image, up to the base's last cut", complete, front: front(by: time), time),
            ])
    }

    private static func panel(
        _ axis: String, _ trials: [SearchTrial], front: [SearchTrial], _ place: (SearchTrial) -> Double?
    ) -> Chart.Panel {
        let dots = trials.compactMap { trial in
            place(trial).map {
                Chart.Series(
                    name: "a trained head", role: .training, points: [Chart.Point(x: $0, y: trial.accuracy)])
            }
        }
        let intervals = front.compactMap { trial in
            place(trial).map { place in
                Chart.Series(
                    name: "its 95 % interval", role: .measured,
                    points: [trial.interval.lowerBound, trial.interval.upperBound].map { Chart.Point(x: place, y: $0) })
            }
        }
        let points = front.compactMap { trial in place(trial).map { Chart.Point(x: $0, y: trial.accuracy) } }
        let best = Chart.Series(
            name: "none as small is better", role: .validation, points: points.sorted { $0.x < $1.x })
        return Chart.Panel(
            title: "accuracy of images in folds left out", series: dots + intervals + [best],
            horizontal: Chart.Axis(title: axis, scale: .logarithmic))
    }
}
