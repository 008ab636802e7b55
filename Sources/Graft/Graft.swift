// GraftCPU makes itself known as the standard backend; its plans are not what users work with.
@_exported import GraftApplications
@_exported import GraftFormats
@_exported import GraftImages
@_exported import GraftReports
@_exported import GraftText
@_exported import GraftTraining
