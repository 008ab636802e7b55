/// Points and lines over a square whose sides go from 0 to 1.
package struct SquarePlot {
    /// What is above it.
    package var title: String
    /// What the axes measure; without ticks where `nil`, as the places mean nothing by themselves.
    package var axes: (horizontal: String, vertical: String)?
    /// A line from corner to corner: where both are equal.
    package var hasDiagonal = false
    /// Groups of points, each of a colour.
    package var groups: [Group] = []

    /// An empty plot.
    package init(title: String, axes: (horizontal: String, vertical: String)? = nil, hasDiagonal: Bool = false) {
        (self.title, self.axes, self.hasDiagonal) = (title, axes, hasDiagonal)
    }

    /// Points of a colour.
    package struct Group {
        /// What they are called.
        package var name: String
        /// Where they are, 0 to 1, and how large, 1 for a usual one.
        package var points: [(x: Double, y: Double, size: Double)]
        /// Whether a line connects them.
        package var isLine: Bool

        /// Points of a colour.
        package init(name: String, points: [(x: Double, y: Double, size: Double)], isLine: Bool = false) {
            (self.name, self.points, self.isLine) = (name, points, isLine)
        }
    }

    private static let (left, top, side) = (56.0, 44.0, 400.0)
    /// More names than these are written at their points' middle.
    private static let legendLimit = 10

    /// The drawing as an SVG file.
    package var svg: String {
        var svg = SVGText()
        let (width, height) = (Self.left + Self.side + 190, Self.top + Self.side + 48)
        svg.raw(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" width=\"\(number(width))\" "
                + "height=\"\(number(height))\" role=\"img\">")
        svg.raw("<title>\(SVGText.escaped(title))</title>")
        svg.raw(Self.style)
        svg.text(title, ["class": "heading", "x": number(Self.left), "y": "24"])
        svg.element(
            "rect",
            [
                "class": "frame", "x": number(Self.left), "y": number(Self.top), "width": number(Self.side),
                "height": number(Self.side),
            ])
        drawAxes(in: &svg)
        if hasDiagonal {
            svg.element("line", ["class": "diagonal", "x1": x(0), "y1": y(0), "x2": x(1), "y2": y(1)])
        }
        for (index, group) in groups.enumerated() { draw(group, Self.colour(index, of: groups.count), in: &svg) }
        for (index, group) in groups.enumerated() { drawName(of: group, index, in: &svg) }
        svg.raw("</svg>")
        return svg.lines.joined(separator: "\n") + "\n"
    }

    private func number(_ value: Double) -> String { SVGText.number(value) }
    private func x(_ value: Double) -> String { number(Self.left + Self.side * value) }
    private func y(_ value: Double) -> String { number(Self.top + Self.side * (1 - value)) }

    private func drawAxes(in svg: inout SVGText) {
        guard let axes else { return }
        for tick in 0...5 {
            let value = Double(tick) / 5
            svg.element("line", ["class": "grid", "x1": x(0), "y1": y(value), "x2": x(1), "y2": y(value)])
            svg.text(
                number(value),
                ["x": number(Self.left - 8), "y": number(Self.top + Self.side * (1 - value) + 4), "text-anchor": "end"])
            svg.text(number(value), ["x": x(value), "y": number(Self.top + Self.side + 18), "text-anchor": "middle"])
        }
        svg.text(axes.horizontal, ["x": x(0.5), "y": number(Self.top + Self.side + 38), "text-anchor": "middle"])
        svg.text(axes.vertical, ["x": number(Self.left), "y": number(Self.top - 6)])
    }

    private func draw(_ group: Group, _ colour: String, in svg: inout SVGText) {
        if group.isLine, group.points.count > 1 {
            let places = group.points.map { "\(x($0.x)),\(y($0.y))" }.joined(separator: " ")
            svg.element("polyline", ["points": places, "fill": "none", "stroke": colour, "stroke-width": "2"])
        }
        for point in group.points {
            svg.element(
                "circle",
                [
                    "cx": x(point.x), "cy": y(point.y), "r": number(3.2 * point.size.squareRoot()), "fill": colour,
                    "fill-opacity": "0.75",
                ])
        }
    }

    private func drawName(of group: Group, _ index: Int, in svg: inout SVGText) {
        guard !group.points.isEmpty, !group.name.isEmpty else { return }
        if groups.count <= Self.legendLimit {
            let (place, height) = (Self.left + Self.side + 16, Self.top + 12 + 20 * Double(index))
            svg.element(
                "circle",
                ["cx": number(place), "cy": number(height - 4), "r": "5", "fill": Self.colour(index, of: groups.count)])
            svg.text(Self.short(group.name, 22), ["x": number(place + 12), "y": number(height)])
        } else {
            let count = Double(group.points.count)
            let middle = group.points.reduce((0.0, 0.0)) { ($0.0 + $1.x / count, $0.1 + $1.y / count) }
            svg.text(
                Self.short(group.name, 14),
                ["class": "name", "x": x(middle.0), "y": y(middle.1), "text-anchor": "middle"])
        }
    }

    private static func short(_ name: String, _ length: Int) -> String {
        name.count > length ? name.prefix(length - 1) + "…" : name
    }

    /// The first two are told apart with any colour vision; the others are as far from each other as a circle of hues allows.
    private static func colour(_ index: Int, of count: Int) -> String {
        if index < 2 { return ["#0969da", "#bc4c00"][index] }
        let hue = (Double(index) * 137.5).truncatingRemainder(dividingBy: 360)
        return "hsl(\(Int(hue)) 60% 45%)"
    }

    private static let style = """
        <style>
        text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #424a53; }
        .heading { font-size: 15px; font-weight: 600; fill: #1f2328; }
        .name { font-size: 9px; fill: #1f2328; }
        .frame { fill: none; stroke: #d1d9e0; }
        .grid { stroke: #d1d9e0; stroke-width: 0.5; }
        .diagonal { stroke: #6e7781; stroke-width: 1.5; stroke-dasharray: 4 4; }
        @media (prefers-color-scheme: dark) {
        text { fill: #b7bdc8; }
        .heading, .name { fill: #f0f6fc; }
        .frame, .grid { stroke: #3d444d; }
        .diagonal { stroke: #9198a1; }
        }
        </style>
        """
}
