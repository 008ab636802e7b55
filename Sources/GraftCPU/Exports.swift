@_exported import GraftRuntime
