extension Loss {
    /// `(p − t)²`, the mean over all outputs of an example. Source: keras/src/losses/losses.py, version 3.15.
    public static var meanSquaredError: Loss {
        Loss("mean_squared_error") { predictions, targets in try (predictions - targets).squared() }
    }
}
