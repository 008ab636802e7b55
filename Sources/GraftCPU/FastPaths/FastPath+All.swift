extension FastPath {
    /// All fast paths, in the order in which the planner tries them. (What a process has one of is not among them: large pages, and
    /// how waiting threads spin; nor is what a user chooses, bfloat16 state.)
    static let all: [FastPath] = [
        // The graph.
        .delayedPooling, .pooledRelu, .bfloat16Pooling, .concatenationSlices,
        // Convolutions and their gradients.
        .winograd, .directConvolution, .rotatedWeights, .kernelGradientSplit,
        .oneDNNDirectCode,
        // Matrix products.
        .skinnyNN, .skinnyNT, .smallProducts,
        // Updates.
        .fusedUpdate, .fusedConvolutionUpdate, .fusedInputGradient, .optimizerKernels,
        // Runs.
        .bitmapRows, .skippedZeros, .lazyRows, .nextBatchOverlap, .concurrentRuns,
    ]
}
