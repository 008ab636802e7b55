/// What a layer says of its arguments, once. The table reads them from Keras's configuration, writes them, and checks
/// their values.
///
///     private static let table = LayerSchema(
///         Dropout.self, Dropout.init, .number("rate", \.rate, .fraction), .seed, .name, traits: [.trainingOnly])
///
/// The arguments are in the order of the initializer, so that the compiler sees that none is missing and each has the
/// right type.
struct LayerSchema: Sendable {
    /// Keras's name for the class.
    let className: String
    /// Where Keras has the class.
    let module: String
    /// What Keras does with the layer and not with others.
    let traits: Set<LayerTrait>
    /// A layer from Keras's configuration.
    let make: LayerRegistry.Maker
    /// Keras's configuration of a layer.
    let arguments: @Sendable (Layer) -> [String: Configuration]
    /// What is wrong with a layer's arguments; `nil` where nothing is.
    let problem: @Sendable (Layer) -> String?

    /// The layers of Keras's interface.
    static let interface = "keras.layers"

    /// - Parameters:
    ///   - type: The layer's class.
    ///   - make: Its initializer.
    ///   - table: The initializer's arguments, in order.
    ///   - fixed: What files may say in one form alone.
    ///   - module: Where Keras has the class: a class outside of Keras's interface is found by that alone.
    init<Owner: Layer, each Value>(
        _ type: Owner.Type, _ make: @escaping @Sendable (repeat each Value) -> Owner,
        _ table: repeat Argument<Owner, each Value>, fixed: [FixedArguments] = [], traits: Set<LayerTrait> = [],
        module: String = LayerSchema.interface
    ) {
        className = String(describing: type)
        self.module = module
        self.traits = traits
        self.make = { (reader) throws(GraftError) in
            let layer = make(repeat try (each table).read(&reader))
            for argument in fixed { try argument.check(&reader) }
            return layer
        }
        arguments = { layer in
            guard let layer = layer as? Owner else { return [:] }
            var members: [String: Configuration] = [:]
            for argument in fixed where argument.isWritten {
                for key in argument.keys { members[key] = argument.value }
            }
            repeat members[(each table).key] = (each table).write(layer)
            return members
        }
        problem = { layer in
            guard let layer = layer as? Owner else { return nil }
            for argument in repeat each table {
                if let problem = argument.problem(layer) { return problem }
            }
            return nil
        }
    }
}

/// What Keras does with some layers and not with others.
enum LayerTrait: Sendable {
    /// Keras holds the layer for built when it is made, and writes no shapes for it.
    case builtFromTheStart
    /// The layer's call takes a list of tensors.
    case takesList
    /// The layer acts in training alone and gives its input in inference mode. Keras writes `training=false`, its
    /// default, at each call, and overrides it in `fit`: it means nothing.
    case trainingOnly
    /// The layer gives the numbers of its input, under another shape.
    case keepsNumbers
    /// Keras's class takes no `trainable` and would refuse the file.
    case withoutTrainable
    /// Keras writes the type of the numbers as a name, not as a policy.
    case namesType
}
