import CarpelGuestProtocol
import Testing

@testable import CarpelAgent

@Suite struct UserDatabaseTests {
    private let database = UserDatabase(
        passwd: """
            root:x:0:0:root:/root:/bin/sh
            # a comment:x:5:5::/:
            ada:x:1000:1001:Ada:/home/ada:/bin/sh
            12:x:2000:2000:a name of digits:/:
            broken:x:one:two
            """,
        group: """
            root:x:0:
            wheel:x:10:ada,root
            ada:x:1001:
            staff:x:50:bob,ada
            broken
            """)

    private func resolve(_ name: String, _ change: (inout ProcessSpec.User) -> Void = { _ in }) throws
        -> UserDatabase.Identity
    {
        var user = ProcessSpec.User()
        user.name = name
        change(&user)
        return try database.resolve(user)
    }

    @Test func aNameLeadsToNumbersGroupsAndHome() throws {
        #expect(try resolve("ada") == .init(uid: 1000, gid: 1001, groups: [1001, 10, 50], home: "/home/ada"))
        #expect(try resolve("") == .init(uid: 0, gid: 0, groups: [0, 10], home: "/root"))
    }

    @Test func aNumberMayBeUnknown() throws {
        #expect(try resolve("4711") == .init(uid: 4711, gid: 0, groups: [0], home: "/"))
        #expect(try resolve("1000").groups == [1001, 10, 50])
    }

    @Test func aNameOfDigitsGoesBeforeTheNumber() throws {
        #expect(try resolve("12").uid == 2000)
    }

    @Test func aGroupOverridesAndOthersAreAdded() throws {
        #expect(try resolve("ada:wheel").gid == 10)
        #expect(try resolve("ada:77").gid == 77)
        #expect(try resolve("ada:") == resolve("ada"))
        let identity = try resolve("ada") {
            $0.group = 9
            $0.additionalGroups = [9, 50, 60]
            $0.mergeImageGroups = false
        }
        #expect(identity.gid == 9)
        #expect(identity.groups == [9, 50, 60])
    }

    @Test func whatIsNotThereIsTold() {
        #expect(throws: GuestFailure(.userNotFound, "the image's /etc/passwd has no user eve")) { try resolve("eve") }
        #expect(throws: GuestFailure.self) { try resolve("ada:eves") }
        // The kernel takes the highest number for "no change".
        #expect(throws: GuestFailure.self) { try resolve("4294967295") }
        #expect(throws: GuestFailure.self) { try resolve("-1") }
    }
}
