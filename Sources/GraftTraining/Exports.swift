@_exported import GraftModel

// What a profile is made of; plans stay the backend's.
@_exported import struct GraftCPU.MachineLimits
@_exported import struct GraftCPU.StepProfile
@_exported import class GraftCPU.Timeline
