@_exported import GraftData
