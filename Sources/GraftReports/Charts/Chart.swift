/// An image of curves: panels one under another, each with axes of its own, a legend for all.
///
/// ``svg`` draws it as a file that any browser and most viewers show, light or dark as the viewer is.
public struct Chart: Sendable, Hashable {
    /// What is above all panels.
    public var title: String
    /// The panels, from the top.
    public var panels: [Panel]

    /// An image of these panels.
    public init(title: String, panels: [Panel]) { (self.title, self.panels) = (title, panels) }

    /// One pair of axes and what is drawn between them.
    public struct Panel: Sendable, Hashable {
        /// What the vertical axis measures.
        public var title: String
        /// The curves.
        public var series: [Series]
        /// Places along the horizontal axis with a line and a word.
        public var markers: [Marker]
        /// What the horizontal axis measures, and how.
        public var horizontal: Axis

        /// Axes with these curves.
        public init(title: String, series: [Series], markers: [Marker] = [], horizontal: Axis) {
            (self.title, self.series, self.markers, self.horizontal) = (title, series, markers, horizontal)
        }
    }

    /// A horizontal axis.
    public struct Axis: Sendable, Hashable {
        /// What it measures.
        public var title: String
        /// How numbers become places.
        public var scale: Scale

        /// An axis.
        public init(title: String, scale: Scale) { (self.title, self.scale) = (title, scale) }
    }

    /// How numbers become places along an axis.
    public enum Scale: Sendable, Hashable {
        /// Whole numbers at equal distances: epochs.
        case counting
        /// Equal factors at equal distances: learning rates. Numbers that are not above 0 are not drawn.
        case logarithmic
    }

    /// A curve.
    public struct Series: Sendable, Hashable {
        /// What the legend calls it; curves of one name and role share an entry.
        public var name: String
        /// How it is drawn.
        public var role: Role
        /// Its points by rising `x`; those that are not finite leave a gap.
        public var points: [Point]

        /// A curve through these points.
        public init(name: String, role: Role, points: [Point]) {
            (self.name, self.role, self.points) = (name, role, points)
        }
    }

    /// How a curve is drawn: two colours that people with any colour vision tell apart, and a form each.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// Dashed.
        case training
        /// Solid, with a dot at each point.
        case validation
        /// Solid, without dots: a curve of many points.
        case measured
    }

    /// A point of a curve.
    public struct Point: Sendable, Hashable {
        /// Along the horizontal axis.
        public var x: Double
        /// Along the vertical axis.
        public var y: Double

        /// A point.
        public init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
    }

    /// A place along the horizontal axis that a vertical line marks.
    public struct Marker: Sendable, Hashable {
        /// Where.
        public var x: Double
        /// What happens there.
        public var label: String

        /// A mark.
        public init(x: Double, label: String) { (self.x, self.label) = (x, label) }
    }
}
