@_exported import GraftModel
