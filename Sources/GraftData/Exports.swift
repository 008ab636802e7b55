@_exported import GraftGraph
