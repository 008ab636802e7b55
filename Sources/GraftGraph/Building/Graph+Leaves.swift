/// Values that depend on no other value.
extension Graph {
    /// A value given at each run under this name; the same name always has the same shape.
    public mutating func input(_ name: String, _ shape: Shape) throws(GraftError) -> ValueID {
        try add(.input(name, shape))
    }

    /// The value of a variable at the start of a run.
    ///
    /// - Parameter elementType: what the variable is stored as; all that reads or updates it must agree.
    public mutating func variable(
        _ variable: VariableID, _ shape: Shape, as elementType: ElementType = .float32
    ) throws(GraftError) -> ValueID {
        try add(.variable(variable, shape), as: elementType)
    }

    /// A fixed scalar, of shape `[]`.
    public mutating func constant(_ value: Float) throws(GraftError) -> ValueID {
        try add(.constant(Tensor(value)))
    }

    /// A fixed array.
    public mutating func constant(_ tensor: Tensor) throws(GraftError) -> ValueID {
        try add(.constant(tensor))
    }

    /// Uniform random numbers in [0, 1), drawn anew at each run from the run's random key: see ``RandomStream``.
    ///
    /// - Parameter stream: the number of the stream; two values with one stream are the same numbers.
    public mutating func randomUniform(stream: UInt64, _ shape: Shape) throws(GraftError) -> ValueID {
        try add(.randomUniform(stream: stream, shape))
    }
}
