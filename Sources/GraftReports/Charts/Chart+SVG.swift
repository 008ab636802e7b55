import Foundation

extension Chart {
    /// The image as an SVG file of 760 units width. It names no font file and loads nothing; its colours follow the
    /// viewer's light or dark scheme.
    public var svg: String { ChartDrawing(self).document }
}

/// Draws a chart: title, legend, then the panels.
private struct ChartDrawing {
    private static let width = 760.0
    private static let panelHeight = 220.0
    private static let headHeight = 64.0
    private static let panelDistance = 68.0
    private static let left = 64.0
    private static let right = 24.0

    private let chart: Chart
    private var svg = SVGText()

    init(_ chart: Chart) {
        self.chart = chart
        let step = Self.panelHeight + Self.panelDistance
        let height = Self.headHeight + 16 + Double(max(chart.panels.count, 1)) * step
        svg.raw(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(Self.width)) \(number(height))\" "
                + "width=\"\(number(Self.width))\" height=\"\(number(height))\" role=\"img\">")
        svg.raw("<title>\(SVGText.escaped(chart.title))</title>")
        svg.raw(Self.style)
        svg.element("rect", ["class": "paper", "width": "100%", "height": "100%"])
        svg.text(chart.title, ["class": "heading", "x": number(Self.left), "y": "28"])
        drawLegend()
        for (index, panel) in chart.panels.enumerated() {
            draw(panel, top: Self.headHeight + 24 + Double(index) * step)
        }
        svg.raw("</svg>")
    }

    var document: String { svg.lines.joined(separator: "\n") + "\n" }

    /// Light first; dark where the viewer says so. Contrast of text and curves with the paper is at least 4.5 to 1.
    private static let style = """
        <style>
        text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #424a53; }
        .heading { font-size: 16px; font-weight: 600; fill: #1f2328; }
        .title { font-weight: 600; fill: #1f2328; }
        .paper { fill: #ffffff; }
        .grid { stroke: #d1d9e0; stroke-width: 1; }
        .marker { stroke: #6e7781; stroke-width: 1.5; stroke-dasharray: 2 4; }
        .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
        .training { stroke: #0550ae; }
        .validation, .measured { stroke: #bc4c00; }
        .curve.training { stroke-dasharray: 7 5; }
        .dot { stroke: none; }
        .dot.training { fill: #0550ae; }
        .dot.validation, .dot.measured { fill: #bc4c00; }
        @media (prefers-color-scheme: dark) {
        text { fill: #b7bdc8; }
        .heading, .title { fill: #f0f6fc; }
        .paper { fill: #0d1117; }
        .grid { stroke: #30363d; }
        .marker { stroke: #9198a1; }
        .training { stroke: #79c0ff; }
        .validation, .measured { stroke: #ffa657; }
        .dot { stroke: none; }
        .dot.training { fill: #79c0ff; }
        .dot.validation, .dot.measured { fill: #ffa657; }
        }
        </style>
        """

    private func number(_ value: Double) -> String { SVGText.number(value) }

    // MARK: Legend

    private mutating func drawLegend() {
        var names: [(name: String, role: Chart.Role)] = []
        for series in chart.panels.flatMap(\.series) where !names.contains(where: { $0 == (series.name, series.role) })
        {
            names.append((series.name, series.role))
        }
        guard names.count > 1 else { return }
        var x = Self.left
        for (name, role) in names {
            svg.element(
                "line",
                ["class": "curve \(role.rawValue)", "x1": number(x), "x2": number(x + 28), "y1": "50", "y2": "50"])
            if role == .validation { drawDot(x + 14, 50, role) }
            svg.text(name, ["x": number(x + 36), "y": "54"])
            x += 60 + 7.2 * Double(name.count)
        }
    }

    private mutating func drawDot(_ x: Double, _ y: Double, _ role: Chart.Role) {
        svg.element("circle", ["class": "dot \(role.rawValue)", "cx": number(x), "cy": number(y), "r": "3.5"])
    }

    // MARK: Panels

    private mutating func draw(_ panel: Chart.Panel, top: Double) {
        let place = PanelPlace(
            panel, left: Self.left, right: Self.width - Self.right, top: top, bottom: top + Self.panelHeight)
        drawGrid(panel, place)
        drawMarkers(panel, place)
        for series in panel.series { draw(series, place) }
    }

    private mutating func drawGrid(_ panel: Chart.Panel, _ place: PanelPlace) {
        svg.text(panel.title, ["class": "title", "x": number(place.left), "y": number(place.top - 10)])
        for (value, label) in zip(place.vertical.values, place.vertical.labels) {
            let y = place.y(value)
            svg.element(
                "line",
                [
                    "class": "grid", "x1": number(place.left), "x2": number(place.right), "y1": number(y),
                    "y2": number(y),
                ])
            svg.text(label, ["x": number(place.left - 8), "y": number(y + 4), "text-anchor": "end"])
        }
        for (value, label) in zip(place.horizontal.values, place.horizontal.labels) {
            guard let x = place.x(value) else { continue }
            svg.text(label, ["x": number(x), "y": number(place.bottom + 18), "text-anchor": "middle"])
        }
        svg.text(
            panel.horizontal.title,
            ["x": number(place.right), "y": number(place.bottom + 34), "text-anchor": "end"])
    }

    private mutating func drawMarkers(_ panel: Chart.Panel, _ place: PanelPlace) {
        for marker in panel.markers {
            guard let x = place.x(marker.x), (place.left...place.right).contains(x) else { continue }
            svg.element(
                "line",
                [
                    "class": "marker", "x1": number(x), "x2": number(x), "y1": number(place.top),
                    "y2": number(place.bottom),
                ])
            // The label goes where there is room for it.
            let isLeft = x > (place.left + place.right) / 2
            svg.text(
                marker.label,
                [
                    "x": number(isLeft ? x - 6 : x + 6), "y": number(place.top - 10),
                    "text-anchor": isLeft ? "end" : "start",
                ])
        }
    }

    private mutating func draw(_ series: Chart.Series, _ place: PanelPlace) {
        var run: [(x: Double, y: Double)] = []
        for point in series.points {
            if let x = place.x(point.x), point.y.isFinite {
                run.append((x, place.y(point.y)))
            } else {
                draw(run, series.role)
                run = []
            }
        }
        draw(run, series.role)
    }

    /// A piece of a curve without gaps.
    private mutating func draw(_ run: [(x: Double, y: Double)], _ role: Chart.Role) {
        guard !run.isEmpty else { return }
        if run.count > 1 {
            let points = run.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
            svg.element("polyline", ["class": "curve \(role.rawValue)", "points": points])
        }
        // Dots among hundreds of epochs would hide the curve.
        guard run.count == 1 || (role == .validation && run.count <= 60) else { return }
        for (x, y) in run { drawDot(x, y, role) }
    }
}

/// Where a panel lies, and where its numbers lie within.
private struct PanelPlace {
    let left: Double
    let right: Double
    let top: Double
    let bottom: Double
    let horizontal: AxisTicks
    let vertical: AxisTicks
    private let scale: Chart.Scale

    init(_ panel: Chart.Panel, left: Double, right: Double, top: Double, bottom: Double) {
        (self.left, self.right, self.top, self.bottom) = (left, right, top, bottom)
        let points = panel.series.flatMap(\.points)
        vertical = AxisTicks(covering: points.map(\.y))
        scale = panel.horizontal.scale
        horizontal =
            switch scale {
            case .counting: AxisTicks(counting: points.map(\.x))
            case .logarithmic: AxisTicks(logarithmic: points.map(\.x))
            }
    }

    /// `nil` where the scale has no place for the number.
    func x(_ value: Double) -> Double? {
        guard value.isFinite else { return nil }
        switch scale {
        case .counting: return left + share(value, of: horizontal.range) * (right - left)
        case .logarithmic:
            guard value > 0 else { return nil }
            let range = log(horizontal.range.lowerBound)...log(horizontal.range.upperBound)
            return left + share(log(value), of: range) * (right - left)
        }
    }

    func y(_ value: Double) -> Double { bottom - share(value, of: vertical.range) * (bottom - top) }

    private func share(_ value: Double, of range: ClosedRange<Double>) -> Double {
        let length = range.upperBound - range.lowerBound
        return length > 0 ? (value - range.lowerBound) / length : 0.5
    }
}
