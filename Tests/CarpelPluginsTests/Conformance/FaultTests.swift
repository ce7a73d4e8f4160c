import Foundation
import TestSupport
import Testing

@testable import CarpelPlugins

/// Every check can fail: for each there is a plugin that is broken in just that way.
struct FaultTests {
    @Test(arguments: networkFaults + storageFaults)
    func aBrokenPluginFailsTheCheck(fault: PluginFault) async throws {
        let folder = try TemporaryFolder()
        let (output, status) = try await checkPlugin(try await fault.build(in: folder), fault.fails)
        let results = try JSONDecoder().decode([CheckResult].self, from: output)
        #expect(results.map(\.name).sorted() == fault.fails.sorted())
        for result in results { #expect(result.outcome == .failed, "\(result.name): \(result.detail)") }
        #expect(results.allSatisfy { !$0.detail.isEmpty })
        #expect(status == 1)
    }

    @Test func everyCheckHasAFaultThatItFinds() {
        #expect(Set(networkFaults.flatMap(\.fails)) == Set(networkChecks.map(\.name)))
        #expect(Set(storageFaults.flatMap(\.fails)) == Set(storageChecks.map(\.name)))
    }

    @Test func namesOfChecksAreUnique() {
        #expect(Set(networkChecks.map(\.name)).count == networkChecks.count)
        #expect(Set(storageChecks.map(\.name)).count == storageChecks.count)
    }
}
