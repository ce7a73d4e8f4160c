import Foundation
import Testing

@testable import CarpelAPI

/// The article's table, held against the methods that there are.
@Suite struct ProtocolArticleTests {
    /// CRI v1's services as of mid-2026. Source: https://github.com/kubernetes/cri-api, pkg/apis/runtime/v1/api.proto
    private static let cri: Set = [
        "Version", "RunPodSandbox", "StopPodSandbox", "RemovePodSandbox", "PodSandboxStatus", "ListPodSandbox",
        "StreamPodSandboxes", "CreateContainer", "StartContainer", "StopContainer", "RemoveContainer",
        "ListContainers", "StreamContainers", "ContainerStatus", "UpdateContainerResources", "ReopenContainerLog",
        "ExecSync", "Exec", "Attach", "PortForward", "ContainerStats", "ListContainerStats", "StreamContainerStats",
        "PodSandboxStats", "ListPodSandboxStats", "StreamPodSandboxStats", "UpdateRuntimeConfig", "Status",
        "CheckpointContainer", "CheckpointPod", "RestorePod", "GetContainerEvents", "ListMetricDescriptors",
        "ListPodSandboxMetrics", "StreamPodSandboxMetrics", "RuntimeConfig", "UpdatePodSandboxResources", "ListImages",
        "StreamImages", "ImageStatus", "PullImage", "RemoveImage", "ImageFsInfo",
    ]

    private struct Row {
        let method: String
        let role: String
        let answers: String
        let remark: String
    }

    /// The rows of the tables, before and after the heading of Carpel's own methods.
    private func rows() throws -> (cri: [Row], own: [Row]) {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let article = folder.appending(path: "../../Sources/CarpelAPI/CarpelAPI.docc/MethodTable.md")
        let parts = try String(contentsOf: article, encoding: .utf8).components(separatedBy: "## Carpel's own")
        let tables = parts.map { part in
            part.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
                let cells = line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
                    .map { $0.trimmingCharacters(in: .whitespaces) }
                return Row(
                    method: cells[0].trimmingCharacters(in: ["`"]), role: cells[1], answers: cells[2],
                    remark: cells[3])
            }
        }
        return (try #require(tables.first), try #require(tables.last))
    }

    @Test func theTableHasEveryMethodOfCRIAndNoEmptyCell() throws {
        let rows = try rows()
        #expect(Set(rows.cri.map(\.method)) == Self.cri && rows.cri.count == Self.cri.count)
        #expect(rows.cri.allSatisfy { $0.remark.hasPrefix("done") || $0.remark.hasPrefix("refused: ") })
        #expect((rows.cri + rows.own).allSatisfy { !$0.remark.isEmpty })
    }

    @Test func theTableIsThatOfTheMethods() throws {
        let rows = try rows()
        #expect((rows.cri + rows.own).map(\.method).sorted() == MethodDescription.all.map(\.name).sorted())
        for row in rows.cri + rows.own {
            let method = try #require(MethodDescription.all.first { $0.name == row.method })
            #expect(row.role == method.role.rawValue, "\(row.method)")
            #expect((row.answers == "a stream of items") == (method.item != nil), "\(row.method)")
        }
    }
}
