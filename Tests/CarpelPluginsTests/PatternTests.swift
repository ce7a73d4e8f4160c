import Testing

@testable import CarpelPlugins

@Suite struct PatternTests {
    @Test(arguments: [
        ("b", "abc", true), ("^b", "abc", false), ("^$", "", true),
        ("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "my-plugin", true), ("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "my-", false),
        ("^/[^:]*$", "/opt:/usr", false), ("^(?:ab|c){2,3}$", "abcab", true), ("^.$", "\u{1F600}", true),
    ]) func patternsMatchAsTheyAreMeant(pattern: String, text: String, matches: Bool) throws {
        #expect(try #require(Pattern(pattern)).match(text) == matches)
    }

    /// Each kept the daemon from its start for longer than anybody would wait.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(a?){500}a{500}$", "^a*a*a*a*a*a*a*$", "(.*)*=(.*)*;"])
    func noPatternTakesForEver(pattern: String) throws {
        let pattern = try #require(Pattern(pattern))
        #expect(pattern.match(String(repeating: "a", count: 5000) + "b") != true)
    }
}
