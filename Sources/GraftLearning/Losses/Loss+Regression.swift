extension Loss {
    /// `(p − t)²`, the mean over all outputs of an example. Source: keras/src/losses/losses.py, version 3.15.
    public static var meanSquaredError: Loss {
        Loss("mean_squared_error") { predictions, targets in try (predictions - targets).squared() }
    }

    /// `|p − t|`, the mean over all outputs of an example. Source: keras/src/losses/losses.py, version 3.15.
    public static var meanAbsoluteError: Loss {
        Loss("mean_absolute_error") { predictions, targets in try (predictions - targets).unary(.absolute) }
    }

    /// Huber's loss with δ = 1: see ``huber(delta:)``.
    public static var huber: Loss { huber() }

    /// `½ · e²` where `|e| ≤ δ`, `δ · |e| − ½ · δ²` beyond, with `e = p − t`; the mean over all outputs of an example.
    ///
    /// - Parameter delta: δ, where the parabola becomes a straight line.
    ///
    /// Source: keras/src/losses/losses.py, version 3.15.
    public static func huber(delta: Float = 1) -> Loss {
        Loss("huber") { predictions, targets in
            let error = try predictions - targets
            let magnitude = try error.unary(.absolute)
            let isClose = try magnitude.scalar(delta).binary(.greaterOrEqual, magnitude)
            let line = try delta * magnitude + -0.5 * delta * delta
            return try (0.5 * error.squared()).selected(where: isClose, otherwise: line)
        }
    }
}
