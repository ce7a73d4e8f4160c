import Testing

@testable import CarpelCLI

struct TextTableTests {
    @Test func columnsAreAsWideAsTheirWidestCell() {
        var table = TextTable(.left("NAME"), .right("SIZE"), .left("STATE"))
        table.add("a", "12.0 MiB", "running")
        table.add("a-longer-name", "1 B", "")
        #expect(
            table.text == """
                NAME               SIZE  STATE
                a              12.0 MiB  running
                a-longer-name       1 B

                """)
    }

    @Test func aTableWithoutRowsIsItsTitles() {
        #expect(TextTable(.left("A"), .left("B")).text == "A  B\n")
    }

    @Test func colourDoesNotCountAsWidth() {
        let red = Style(isColoured: true).red
        var table = TextTable(.left("A"), .left("B"))
        table.add(TextTable.Cell("no", paint: red), "x")
        #expect(table.text == "A   B\n\u{1B}[31mno\u{1B}[0m  x\n")
    }

    @Test func aLineEndInsideACellStaysInItsRow() {
        var table = TextTable(.left("A"))
        table.add("one\ntwo")
        #expect(table.text == "A\none two\n")
    }
}
