@_exported import GraftLearning
@_exported import GraftModel
@_exported import GraftRuntime
