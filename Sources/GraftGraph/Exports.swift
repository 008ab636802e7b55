@_exported import GraftSystem
