@_exported import GraftData
@_exported import GraftModel
@_exported import GraftRuntime
