@_exported import GraftData
@_exported import GraftFeatures
@_exported import GraftLearning
@_exported import GraftModel
@_exported import GraftRuntime
