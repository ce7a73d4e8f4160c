import CarpelCore
import Foundation

extension LibvirtMachine {
    func usage() async throws -> MachineProcessUsage {
        try await calls.run("reading what machine \(id) uses", timeout: timeout) { [processID, id, configuration] in
            let name = DomainDescription.domainName(id)
            let served = DriverPlace(configuration).sharedFolderProcesses(name)
            return MachineProcessUsage(of: [processID] + served)
        }
    }
}

extension DriverPlace {
    /// The processes of the virtiofsd that libvirt started for the domain: the one that it knows, and those that this
    /// one confined.
    fileprivate func sharedFolderProcesses(_ domainName: String) -> [Int32] {
        // libvirt's name is the domain's number, the beginning of its name, and the device's.
        let part = "-\(domainName.prefix(20))-fs0-"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: runDirectory)) ?? []
        guard let file = names.first(where: { $0.contains(part) && $0.hasSuffix(".pid") }),
            let text = try? String(contentsOfFile: "\(runDirectory)/\(file)", encoding: .utf8),
            let process = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { return [] }
        let children = (try? KernelFile.read("/proc/\(process)/task/\(process)/children")) ?? ""
        return [process] + children.split(separator: " ").compactMap { Int32($0) }
    }
}
