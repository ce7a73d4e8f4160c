import CarpelCore
import Testing

@testable import CarpelCLI

struct JSONValueTests {
    private static let text = #"{"b":[1,-2.5,true,null],"a":{"x":"a/b \"c\"","e":{}},"l":[]}"#

    @Test func prettyTextIsIndentedByTwoAndSortedByName() throws {
        #expect(
            try JSONValue(text: Self.text).prettyText == """
                {
                  "a": {
                    "e": {},
                    "x": "a/b \\"c\\""
                  },
                  "b": [
                    1,
                    -2.5,
                    true,
                    null
                  ],
                  "l": []
                }
                """)
    }

    @Test func prettyTextReadsBackAsTheSame() throws {
        let value = try JSONValue(text: Self.text)
        #expect(try JSONValue(text: value.prettyText) == value)
    }

    @Test func yamlQuotesWhatWouldReadAsAnotherType() throws {
        let value = try JSONValue(
            text: #"{"createdAt":"1700000000","ok":true,"name":"web","no":"no","empty":"","n":3}"#)
        #expect(
            try value.yamlText() == """
                createdAt: "1700000000"
                empty: ""
                n: 3
                name: web
                "no": "no"
                ok: true

                """)
    }

    @Test func infoTextsBecomePartOfTheDocument() throws {
        let value = try JSONValue(text: #"{"info":{"timeline":"[{\"name\":\"boot\"}]","note":"no JSON"}}"#)
        let wanted = try JSONValue(text: #"{"info":{"timeline":[{"name":"boot"}],"note":"no JSON"}}"#)
        #expect(value.withReadableInfo() == wanted)
    }
}
