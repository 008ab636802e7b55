@_exported import GraftApplications
@_exported import GraftFormats
@_exported import GraftImages
@_exported import GraftTraining
