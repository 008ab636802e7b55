/// oneDNN as it was found when the program started.
package enum OneDNNLibrary {
    /// Such as `2.6.3`.
    package static var version: String { oneDNNVersion }
}
