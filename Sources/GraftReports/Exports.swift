@_exported import GraftTraining
