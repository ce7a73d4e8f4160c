import Foundation
import Testing

@testable import StorageLocal

@Suite struct KillCampaignTests {
    /// Kills in a test run; `CARPEL_STORAGE_KILLS` asks for more.
    private static let kills = ProcessInfo.processInfo.environment["CARPEL_STORAGE_KILLS"].flatMap(Int.init) ?? 20

    @Test(.disabled(if: CampaignChild.folder != nil, "this is the process that is killed"))
    func aKillInAnyVerbLeavesTheOldStateOrTheNewOne() async throws {
        var campaign = try await Campaign()
        for _ in 0..<Self.kills { try await campaign.round() }
        print(
            "\(Self.kills) kills, \(campaign.ended) verbs ended, \(campaign.cutOffOld + campaign.cutOffNew) cut off: "
                + "\(campaign.cutOffOld) old, \(campaign.cutOffNew) new")
        #expect(campaign.cutOffOld + campaign.cutOffNew > 0)
    }

    @Test(.enabled(if: CampaignChild.folder != nil, "only in the process that is killed"))
    func callVerbsUntilKilled() async throws {
        try await CampaignChild(folder: try #require(CampaignChild.folder)).run()
    }
}
