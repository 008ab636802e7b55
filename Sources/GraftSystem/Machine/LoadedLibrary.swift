import Foundation

#if canImport(Darwin)
    import MachO
#endif

/// Where the shared libraries of this process come from.
package enum LoadedLibrary {
    /// The file of a library that is in memory, such as `libdnnl`; `nil` where none is, or where it is part of the program.
    package static func path(of name: String) -> String? {
        #if canImport(Darwin)
            let paths = (0..<_dyld_image_count()).compactMap { _dyld_get_image_name($0).map { String(cString: $0) } }
            return path(of: name, among: paths)
        #else
            let maps = SystemFile.text(at: "/proc/self/maps") ?? ""
            return path(of: name, among: paths(inMaps: maps))
        #endif
    }

    /// The files in Linux's `/proc/self/maps`: of each line what follows its fifth field.
    static func paths(inMaps maps: String) -> [String] {
        maps.split(separator: "\n").compactMap { line in
            line.firstIndex(of: "/").map { String(line[$0...]) }
        }
    }

    /// The path whose file is `name.so…` or `name.2.dylib`.
    static func path(of name: String, among paths: [String]) -> String? {
        paths.first { $0.split(separator: "/").last?.hasPrefix(name + ".") ?? false }
    }
}
