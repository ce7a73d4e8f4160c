import CarpelCore
import Testing

@testable import CarpelCLI

@Suite struct StreamArgumentTests {
    @Test func detachKeysAreHeldBackUntilTheyAreSomethingElse() throws {
        var keys = try DetachKeys("ctrl-p,ctrl-q")
        #expect(keys.filter([97, 16]).passed == [97])
        // The key that looked like the first one goes on with what follows it.
        #expect(keys.filter([98]).passed == [16, 98])
        #expect(keys.filter([16, 16]).passed == [16])
        let last = keys.filter([17, 99])
        #expect(last.isComplete && last.passed.isEmpty)
        var single = try DetachKeys("ctrl-]")
        let typed = single.filter([120, 29])
        #expect(typed.passed == [120] && typed.isComplete)
        var none = try DetachKeys("")
        #expect(none.filter([16, 17]) == ([16, 17], false))
        for wrong in ["ctrl-", "ctrl-ä", "ab", "ctrl-p,", "ctrl-1"] {
            #expect(throws: CarpelError.self, "\(wrong)") { try DetachKeys(wrong) }
        }
    }

    @Test func forwardedPortsAreRead() throws {
        #expect(try ForwardedPort("80").host == 80)
        #expect(try ForwardedPort("8080:80").host == 8080)
        #expect(try ForwardedPort(":80").host == 0)
        #expect(try ForwardedPort("8080:80").pod == 80)
        for wrong in ["", "0", "a:80", "80:", "1:2:3", "65536", "70000:80"] {
            #expect(throws: CarpelError.self, "\(wrong)") { try ForwardedPort(wrong) }
        }
    }

    @Test func placesToCopyAreToldApart() throws {
        #expect(try CopyPlace("web:/etc") == .container("web", path: "/etc"))
        #expect(try CopyPlace("web/main:a:b") == .container("web/main", path: "a:b"))
        #expect(try CopyPlace("./a:b") == .local("./a:b"))
        #expect(try CopyPlace("/a:b") == .local("/a:b"))
        #expect(try CopyPlace("file") == .local("file"))
        #expect(try CopyPlace("-") == .standard)
        for wrong in ["", ":x", "web:"] { #expect(throws: CarpelError.self) { try CopyPlace(wrong) } }
    }

    @Test func pathsAreSplitAsPeopleMeanThem() {
        let cases = [
            ("/etc/passwd", "/etc", "passwd"), ("/etc/", "/", "etc"), ("etc", ".", "etc"), ("/", "/", "."),
            ("/etc/.", "/etc/.", "."), (".", ".", "."), ("a//", ".", "a"), ("../..", "../..", "."),
        ]
        for (path, folder, name) in cases {
            let split = SplitPath(path)
            #expect(split.folder == folder && split.name == name, "\(path)")
        }
    }

    @Test func namesInArchivesCannotLeaveTheirPlace() throws {
        let name = ArchiveName(from: "etc", to: "copy")
        #expect(try name.renamed("etc") == "copy")
        #expect(try name.renamed("etc/") == "copy")
        #expect(try name.renamed("./etc/a/b") == "copy/a/b")
        #expect(try ArchiveName(from: ".", to: ".").renamed("./a") == "./a")
        for wrong in ["other/a", "/etc/a", "etc/../../a", "", ".."] {
            #expect(throws: CarpelError.self, "\(wrong)") { try name.renamed(wrong) }
        }
        #expect(throws: CarpelError.self) { try ArchiveName(from: ".", to: "x").renamed("../a") }
    }
}
