import Testing

@testable import CarpelGuestProtocol

@Suite struct CBORTests {
    private struct Sample: Codable, Equatable {
        enum Choice: Codable, Equatable {
            case none
            case one(Int)
            case two(name: String, bytes: [UInt8])
        }
        var flag = true
        var small: Int8 = -100
        var large: UInt64 = .max
        var smallest: Int64 = .min
        var fraction = 1.5
        var text = "säule \u{1F33F}"
        var bytes: [UInt8] = [0, 255, 7]
        var noBytes: [UInt8] = []
        var names = ["a", ""]
        var noNames: [String] = []
        var map = ["k": ["v": 1]]
        var absent: Int?
        var present: Int? = 3
        var choices: [Choice] = [.none, .one(-1), .two(name: "x", bytes: [1])]
    }

    @Test func aValueSurvivesTheRoundTrip() throws {
        let bytes = try CBOREncoder().encode(Sample())
        #expect(try CBORDecoder().decode(Sample.self, from: bytes) == Sample())
    }

    /// RFC 8949, appendix A.
    @Test(
        arguments: [
            ("00", 0), ("17", 23), ("1818", 24), ("1864", 100), ("1903e8", 1000), ("1a000f4240", 1_000_000),
            ("1b000000e8d4a51000", 1_000_000_000_000), ("20", -1), ("29", -10), ("3863", -100), ("3903e7", -1000),
            ("3b7fffffffffffffff", Int64.min),
        ] as [(String, Int64)])
    func integersAreThoseOfTheStandard(hexadecimal: String, value: Int64) throws {
        #expect(try CBOREncoder().encode(value) == bytes(hexadecimal))
        #expect(try CBORDecoder().decode(Int64.self, from: bytes(hexadecimal)) == value)
    }

    @Test(
        arguments: [
            ("f90000", 0.0), ("f93c00", 1.0), ("f93e00", 1.5), ("f97bff", 65504.0), ("fa47c35000", 100000.0),
            ("fb3ff199999999999a", 1.1), ("f90001", 5.960464477539063e-08), ("f90400", 0.00006103515625),
            ("f9c400", -4.0),
            ("f97c00", .infinity), ("f9fc00", -.infinity), ("fb7ff0000000000000", .infinity),
        ] as [(String, Double)])
    func fractionsOfAllWidthsAreRead(hexadecimal: String, value: Double) throws {
        #expect(try CBORDecoder().decode(Double.self, from: bytes(hexadecimal)) == value)
    }

    @Test func textsBytesAndContainersAreThoseOfTheStandard() throws {
        #expect(try CBOREncoder().encode("IETF") == bytes("6449455446"))
        #expect(try CBOREncoder().encode([1, 2, 3] as [UInt8]) == bytes("43010203"))
        #expect(try CBOREncoder().encode([1, 2, 3] as [Int]) == bytes("83010203"))
        #expect(try CBOREncoder().encode([String: Int]()) == bytes("a0"))
        #expect(try CBOREncoder().encode([true, false]) == bytes("82f5f4"))
        #expect(try CBOREncoder().encode(Int?.none) == bytes("f6"))
        #expect(try CBORDecoder().decode([[Int]].self, from: bytes("838101820203820405")) == [[1], [2, 3], [4, 5]])
        #expect(try CBORDecoder().decode([String: Int].self, from: bytes("a2616101616202")) == ["a": 1, "b": 2])
    }

    @Test func indefiniteLengthsAreRead() throws {
        #expect(try CBORDecoder().decode([UInt8].self, from: bytes("5f42010243030405ff")) == [1, 2, 3, 4, 5])
        #expect(try CBORDecoder().decode(String.self, from: bytes("7f657374726561646d696e67ff")) == "streaming")
        #expect(try CBORDecoder().decode([Int].self, from: bytes("9f0102ff")) == [1, 2])
        #expect(
            try CBORDecoder().decode([String: Bool].self, from: bytes("bf6346756ef563416d74f4ff")) == [
                "Fun": true, "Amt": false,
            ])
    }

    @Test func tagsAreSkipped() throws {
        #expect(
            try CBORDecoder().decode(String.self, from: bytes("c074323031332d30332d32315432303a30343a30305a"))
                == "2013-03-21T20:04:00Z")
        #expect(try CBORDecoder().decode(Int.self, from: bytes("c11a514b67b0")) == 1_363_896_240)
    }

    @Test func unknownKeysAreIgnored() throws {
        struct Newer: Codable {
            var id = "x"
            var invented = ["a": [1, 2]]
            var signal: Int32 = 9
        }
        struct Older: Codable, Equatable {
            var id: String
            var signal: Int32
            var later: Int?
        }
        #expect(try CBORDecoder().decode(Older.self, from: CBOREncoder().encode(Newer())) == Older(id: "x", signal: 9))
    }

    @Test(arguments: [
        ("", CBORError.truncated), ("18", .truncated), ("62c3", .truncated), ("5b7fffffffffffffff", .truncated),
        ("9b00000000ffffffff", .truncated), ("bbffffffffffffffff", .truncated), ("9f01", .truncated),
        ("1c", .malformed),
        ("ff", .malformed), ("1f", .malformed), ("f801", .malformed), ("5f6161ff", .malformed),
        ("0000", .trailingBytes),
        (String(repeating: "81", count: 40) + "00", .tooDeep), (String(repeating: "c1", count: 40) + "00", .tooDeep),
    ])
    func whatIsNotWellFormedIsRefused(hexadecimal: String, error: CBORError) {
        #expect(throws: error) { try CBORDecoder().decode([Int].self, from: bytes(hexadecimal)) }
    }

    @Test func notUTF8AndDoubleKeysAreRefused() {
        #expect(throws: CBORError.malformed) { try CBORDecoder().decode(String.self, from: bytes("61ff")) }
        #expect(throws: CBORError.malformed) {
            try CBORDecoder().decode([String: Int].self, from: bytes("a2616101616102"))
        }
    }

    @Test func numbersThatDoNotFitAreRefused() {
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(UInt8.self, from: bytes("190100")) }
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(UInt8.self, from: bytes("20")) }
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(Int64.self, from: bytes("3bffffffffffffffff")) }
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(Int64.self, from: bytes("1bffffffffffffffff")) }
    }

    @Test func garbageNeverTraps() throws {
        var generator = Seeded(1)
        let seeds =
            try Samples.requests.map { try CBOREncoder().encode($0) }
            + Samples.responses.map { try CBOREncoder().encode($0) }
        for _ in 0..<3000 {
            var bytes = try #require(seeds.randomElement(using: &generator))
            for _ in 0..<Int.random(in: 1...6, using: &generator) { generator.mutate(&bytes) }
            // Whatever comes out, it comes out.
            _ = try? CBORDecoder().decode(GuestRequest.self, from: bytes)
            _ = try? CBORDecoder().decode(GuestResponse.self, from: bytes)
        }
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            _ = try? CBORDecoder().decode(GuestState.self, from: bytes)
            _ = try? CBORDecoder().decode([String: [UInt8]].self, from: bytes)
        }
    }
}
