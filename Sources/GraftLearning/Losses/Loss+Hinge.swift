import GraftGraph

extension Loss {
    /// `max(1 − t · p, 0)`, the mean over all outputs of an example. Targets are −1 and 1; where all targets of a batch
    /// are 0 or 1, they are taken for −1 and 1, as Keras does.
    ///
    /// Source: keras/src/losses/losses.py, version 3.15.
    public static var hinge: Loss {
        Loss("hinge") { predictions, targets in try margin(predictions, targets) }
    }

    /// `max(1 − t · p, 0)²`, the mean over all outputs of an example; targets as in ``hinge``.
    ///
    /// Source: keras/src/losses/losses.py, version 3.15.
    public static var squaredHinge: Loss {
        Loss("squared_hinge") { predictions, targets in try margin(predictions, targets).squared() }
    }

    /// `max(n − p + 1, 0)` with `p = Σ t · y` and `n = max((1 − t) · y)` over the classes; targets are one-hot rows.
    ///
    /// Source: keras/src/losses/losses.py, version 3.15.
    public static var categoricalHinge: Loss {
        Loss("categorical_hinge", targets: .distributions) { predictions, targets in
            let right = try (targets * predictions).reduced(.sum, axes: [-1])
            let wrong = try ((1 - targets) * predictions).reduced(.maximum, axes: [-1])
            return try (wrong - right + 1).binary(.maximum, 0)
        }
    }

    private static func margin(_ predictions: GraphValue, _ targets: GraphValue) throws -> GraphValue {
        let isBinary = try targets.binary(.equal, 0) + targets.binary(.equal, 1)
        let areNotAll = try (1 - isBinary).reduced(.maximum)
        let signs = try targets.selected(where: areNotAll, otherwise: 2 * targets - 1)
        return try (1 - signs * predictions).binary(.maximum, 0)
    }
}
