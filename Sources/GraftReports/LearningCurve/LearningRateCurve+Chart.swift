import GraftGraph

extension LearningRateCurve {
    /// The smoothed loss over the rate, with the suggested rate marked.
    public var chart: Chart {
        let points = zip(rates, smoothedLosses).map { Chart.Point(x: Double($0), y: $1) }
        let marker = suggested.map { Chart.Marker(x: Double($0), label: "suggested: \($0.asLearningRate)") }
        let panel = Chart.Panel(
            title: "loss, smoothed", series: [Chart.Series(name: "loss", role: .measured, points: points)],
            markers: [marker].compactMap(\.self), horizontal: Chart.Axis(title: "learning rate", scale: .logarithmic))
        return Chart(title: "Loss while the learning rate rises", panels: [panel])
    }

    /// Writes the chart as an SVG file, whole or not at all.
    ///
    /// - Throws: `GraftError` with code `file`.
    public func writeChart(to path: String) throws(GraftError) { try AtomicFile.write(chart.svg, to: path) }
}
