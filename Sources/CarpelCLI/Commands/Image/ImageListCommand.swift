import ArgumentParser
import CarpelAPI

struct ImageListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the images of this node.",
        discussion: """
            Examples:
              carpel image list
              carpel image ls --format json
            """,
        aliases: ["ls"])

    @Flag(name: .shortAndLong, help: "Print full ids only.")
    var quiet = false

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let images = try await daemon.connect().call(Methods.listImages, ListImagesRequest()).images
        if quiet {
            Console.out(images.map { $0.id + "\n" }.joined())
        } else {
            try list.print(images) { Self.table(images) }
        }
    }

    /// A row for each name of each image.
    static func table(_ images: [ImageItem]) -> String {
        var table = TextTable(.left("IMAGE"), .left("TAG"), .left("IMAGE ID"), .right("SIZE"))
        let rows = images.flatMap { image in names(of: image).map { (name: $0, image: image) } }
        for row in rows.sorted(by: { ($0.name.repository, $0.name.tag) < ($1.name.repository, $1.name.tag) }) {
            table.add(
                "\(row.name.repository)", "\(row.name.tag)", "\(HumanText.shortID(row.image.id))",
                "\(HumanText.size(row.image.size))")
        }
        return table.text
    }

    private static func names(of image: ImageItem) -> [(repository: String, tag: String)] {
        if !image.repoTags.isEmpty { return image.repoTags.map(split) }
        let digests = image.repoDigests.map { (String($0.prefix { $0 != "@" }), "<none>") }
        return digests.isEmpty ? [("<none>", "<none>")] : digests
    }

    /// The tag follows the last colon, unless that belongs to the registry's port.
    private static func split(_ reference: String) -> (repository: String, tag: String) {
        guard let colon = reference.lastIndex(of: ":"), !reference[colon...].contains("/") else {
            return (reference, "<none>")
        }
        return (String(reference[..<colon]), String(reference[reference.index(after: colon)...]))
    }
}
