import Foundation
import Testing

@testable import CarpelCLI

struct HumanTextTests {
    @Test func idsAreShortenedToThirteenCharactersWithoutTheirAlgorithm() {
        #expect(HumanText.shortID("sha256:0123456789abcdef0123456789abcdef") == "0123456789abc")
        #expect(HumanText.shortID("0123456789abcdef") == "0123456789abc")
        #expect(HumanText.shortID("short") == "short")
        #expect(HumanText.shortID("") == "")
    }

    @Test(arguments: [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_800, "2d"), (-5, "0s")])
    func agesUseTheLargestUnitThatSaysEnough(seconds: Int64, text: String) {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        #expect(HumanText.age(since: (1_800_000_000 - seconds) * 1_000_000_000, now: now) == text)
    }

    @Test func aTimeThatIsNotSetHasNoAge() {
        #expect(HumanText.age(since: 0) == "")
    }

    @Test(arguments: [
        (999_999, "<1 ms"), (12_345_678, "12 ms"), (1_935_000_000, "1.93 s"), (61_005_000_000, "61.00 s"),
    ])
    func durationsUseTheLargestUnitThatSaysEnough(nanoseconds: Int64, text: String) {
        #expect(HumanText.duration(nanoseconds: nanoseconds) == text)
    }

    @Test func statesLoseTheirTypesName() {
        #expect(HumanText.state("CONTAINER_RUNNING") == "running")
        #expect(HumanText.state("SANDBOX_NOTREADY") == "notready")
    }
}
