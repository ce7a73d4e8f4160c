import CarpelAPI
import CarpelCore
import Testing

@testable import CarpelRuntime

@Suite struct HostileRequestTests {
    /// The sum overflowed.
    @Test func limitsOfAnySizeHaveASum() {
        let most = LinuxContainerResources { $0.memoryLimitInBytes = .max }
        #expect(neededSize(of: [most, most]).memory == ByteCount(16 << 40))
        let some = LinuxContainerResources { $0.memoryLimitInBytes = 5 }
        #expect(neededSize(of: [some, LinuxContainerResources(), some]).memory == ByteCount(10))
    }
}
