/// A shortcut of the planner: what oneDNN's primitives, elementwise groups and copies would do as well, only slower.
///
/// The folder `FastPaths` has a file for each: what it matches, what it buys and when it can be deleted; ``all`` is the order in
/// which they are tried. Where none matches, the base case remains. Each can be switched off by its name
/// (``CPUOptions/disabledFastPaths``), and the tests compile with each off alone and with all off.
struct FastPath: Sendable {
    /// As options and `graft-measure --without` name it.
    let name: String
    /// Its page in `Benchmarks/notebook`, with what was measured.
    let page: String
    let kind: Kind

    /// Where the planner asks for it.
    enum Kind: Sendable {
        /// A pass over the graph.
        case rewrite(@Sendable (Graph) throws(GraftError) -> Graph)
        /// Another way to compute a convolution or one of its gradients.
        case convolution(any ConvolutionLowering.Type)
        /// Another way to compute a matrix product.
        case product(any ProductLowering.Type)
        /// A kernel gradient that is computed within the update of its variable.
        case update(any GradientFusion.Type)
        /// A variant of the base case or of another path, which asks ``FastPaths/allows(_:)``.
        case variant
    }

    init(_ name: String, page: String, _ kind: Kind) { (self.name, self.page, self.kind) = (name, page, kind) }
}

/// A convolution or one of its gradients that is to be computed.
struct ConvolutionSite {
    let value: ValueID
    let operation: ConvolutionOperation
    let geometry: ConvolutionGeometry
    /// `none` for a gradient.
    let epilogue: Epilogue
    /// Whether the weights are loop-invariant, so that they are prepacked once.
    let hasInvariantWeights: Bool
    /// Whether the result is a slice of a concatenation.
    let isSlice: Bool
    let threads: Int
    let machine: Machine
}

/// Another way to compute a convolution or one of its gradients.
protocol ConvolutionLowering: SendableMetatype {
    /// Whether it is meant for this one, by shapes and machine alone.
    static func suits(_ site: ConvolutionSite) -> Bool
    /// Adds its steps; returns `false`, and adds none, where oneDNN has not the kernels that it is made of.
    static func lower(_ site: ConvolutionSite, in compiler: inout PlanCompiler) throws(GraftError) -> Bool
}

/// A matrix product that is to be computed.
struct ProductSite {
    let value: ValueID
    let product: MatrixProduct
    let rows: Int
    let inner: Int
    let columns: Int
    /// Whether the left side comes as bitmap-compressed rows.
    let hasBitmapRows: Bool
    let machine: Machine
}

/// Another way to compute a matrix product.
protocol ProductLowering: SendableMetatype {
    /// Whether it is meant for this one, by shapes and machine alone.
    static func suits(_ site: ProductSite) -> Bool
    /// Adds its step.
    static func lower(_ site: ProductSite, in compiler: inout PlanCompiler) throws(GraftError)
}

/// An update whose step computes the gradient as well.
struct FusedUpdateSite {
    let gradient: UpdateGroups.FusedGradient
    let program: CompiledProgram
    /// What the program reads; `nil` for the gradient.
    let operands: [BufferID?]
    let targets: [BufferID]
}

/// A step, and what it reads and writes beside the program's operands and targets.
struct FusedUpdate {
    let step: any Step
    let reads: [BufferID]
    var writes: [BufferID] = []
}

/// A kernel gradient that is computed tile by tile within the update of its variable, and never stored.
protocol GradientFusion: SendableMetatype {
    /// Whether it is meant for this gradient, by shapes and machine alone.
    static func suits(_ gradient: ValueID, in graph: Graph, _ machine: Machine) -> Bool
    /// Whether it can compute a product as well that reads the variable before it is written: the input's gradient.
    static func fusesInputGradient(rows: Int, inner: Int, columns: Int, _ machine: Machine) -> Bool
    /// The step.
    static func step(_ site: FusedUpdateSite, in compiler: PlanCompiler) throws(GraftError) -> FusedUpdate
}

extension GradientFusion {
    static func fusesInputGradient(rows: Int, inner: Int, columns: Int, _ machine: Machine) -> Bool { false }
}

/// The fast paths that a plan may take, in their order, and the machine that it is made for.
struct FastPaths: Sendable {
    let paths: [FastPath]
    let machine: Machine
    private let names: Set<String>

    /// All of `paths` but those whose names are in `disabled`.
    ///
    /// - Throws: ``GraftError`` with code `argument` for a name that none has.
    init(_ paths: [FastPath], without disabled: Set<String> = [], machine: Machine = .current) throws(GraftError) {
        let unknown = disabled.subtracting(paths.map(\.name)).sorted()
        guard unknown.isEmpty else {
            throw GraftError(
                .argument,
                "there is no fast path \(unknown.map { "'\($0)'" }.joined(separator: ", ")); there are "
                    + paths.map(\.name).sorted().joined(separator: ", "))
        }
        self.paths = paths.filter { !disabled.contains($0.name) }
        self.machine = machine
        names = Set(self.paths.map(\.name))
    }

    func allows(_ path: FastPath) -> Bool { names.contains(path.name) }

    /// A graph after all rewrites.
    func rewriting(_ graph: Graph) throws(GraftError) -> Graph {
        var graph = graph
        for path in paths { if case .rewrite(let rewrite) = path.kind { graph = try rewrite(graph) } }
        return graph
    }

    var convolutions: [any ConvolutionLowering.Type] {
        paths.compactMap { if case .convolution(let lowering) = $0.kind { lowering } else { nil } }
    }

    var products: [any ProductLowering.Type] {
        paths.compactMap { if case .product(let lowering) = $0.kind { lowering } else { nil } }
    }

    /// The first way to fuse a gradient with its update.
    func fusion(of gradient: ValueID, in graph: Graph) -> (any GradientFusion.Type)? {
        for path in paths {
            if case .update(let fusion) = path.kind, fusion.suits(gradient, in: graph, machine) { return fusion }
        }
        return nil
    }
}
