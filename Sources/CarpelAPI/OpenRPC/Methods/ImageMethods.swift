extension MethodDescription {
    static let images = [
        MethodDescription(
            Methods.pullImage, "Fetches an image; with `progress`, PullProgress notifications come before the answer.",
            required: ["image"], reasons: [.imageNotFound, .registryDenied, .registryUnavailable, .noSpace],
            example: PullImageRequest { $0.image = example },
            result: PullImageResponse { $0.imageRef = ExampleValues.imageID }),
        MethodDescription(
            Methods.listImages, "Lists the images of this node.",
            result: ListImagesResponse {
                $0.images = [
                    ImageItem {
                        $0.id = ExampleValues.imageID
                        $0.repoTags = [ExampleValues.image]
                        $0.size = 2_150_000
                    }
                ]
            }),
        MethodDescription(
            Methods.streamImages, "Lists the images of this node in parts.", subscription: "example-images"),
        MethodDescription(
            Methods.imageStatus, "Tells of one image; an image that is not there is an answer without one.",
            required: ["image"],
            example: ImageStatusRequest { $0.image = example },
            result: ImageStatusResponse { $0.image = ImageItem { $0.repoTags = [ExampleValues.image] } }),
        MethodDescription(
            Methods.imageFsInfo, "Says what images and containers take of the node's disks.",
            result: ImageFsInfoResponse {
                $0.imageFilesystems = [
                    FilesystemUsage {
                        $0.fsId = FilesystemIdentifier { $0.mountpoint = "/var/lib/carpel/images" }
                        $0.usedBytes = UInt64Value { $0.value = 4_300_000 }
                    }
                ]
            }),
        MethodDescription(
            Methods.exportImage, "Writes an image as an OCI archive.", required: ["image", "path"],
            reasons: [.imageNotFound, .fileExists, .noSpace],
            example: ExportImageRequest {
                $0.image = example
                $0.path = ExampleValues.exported
            },
            result: EmptyResponse()),
        MethodDescription(
            Methods.importImage,
            "Adds the images of an OCI layout, an OCI archive or a `docker save` archive.", required: ["path"],
            reasons: [.fileNotFound, .noSpace],
            example: ImportImageRequest {
                $0.path = ExampleValues.archive
                $0.name = "localhost/imported:1"
            },
            result: ImportImageResponse { $0.images = [ImageItem { $0.repoTags = ["localhost/imported:1"] }] }),
        MethodDescription(
            Methods.removeImage, "Forgets an image by its id, or one of its names. One that is not there is fine.",
            required: ["image"], reasons: [.imageInUse],
            example: RemoveImageRequest { $0.image = ImageSpec { $0.image = "localhost/imported:1" } },
            result: EmptyResponse()),
    ]

    private static let example = ImageSpec { $0.image = ExampleValues.image }
}
