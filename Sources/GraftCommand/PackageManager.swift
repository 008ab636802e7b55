import Foundation
import GraftSystem

/// What installs software on a system.
enum PackageManager: String, CaseIterable {
    case apt = "apt-get"
    case brew
    case dnf

    /// This system's; `nil` for one that Graft does not know.
    static var here: PackageManager? { allCases.first { Executable(named: $0.rawValue) != nil } }

    /// The command that installs one package, under its name for each manager.
    func install(apt: String, brew: String, dnf: String) -> String {
        switch self {
        case .apt: "sudo apt-get install -y \(apt)"
        case .brew: "brew install \(brew)"
        case .dnf: "sudo dnf install -y '\(dnf)'"
        }
    }
}
