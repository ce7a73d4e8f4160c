import CarpelAPI

/// A metric by its name: what it tells, and how it is taken from what was read.
struct MetricFamily<Source>: Sendable where Source: Sendable {
    /// The values of the labels beyond those that every metric has, and the number.
    typealias Sample = (labels: [String], value: UInt64)

    let name: String
    let help: String
    let type: MetricType
    /// Names of the labels beyond those that every metric has.
    let labels: [String]
    let samples: @Sendable (Source) -> [Sample]

    /// A metric without labels of its own; nil is left out.
    init(_ name: String, _ type: MetricType, _ help: String, _ value: @escaping @Sendable (Source) -> UInt64?) {
        self.init(name, type, help, labels: []) { source in value(source).map { [([], $0)] } ?? [] }
    }

    init(
        _ name: String, _ type: MetricType, _ help: String, labels: [String],
        _ samples: @escaping @Sendable (Source) -> [Sample]
    ) {
        (self.name, self.type, self.help, self.labels, self.samples) = (name, type, help, labels, samples)
    }

    var descriptor: MetricDescriptor {
        MetricDescriptor {
            $0.name = name
            $0.help = help
            $0.labelKeys = MetricLabels.keys + labels
        }
    }

    func metrics(of source: Source, _ common: MetricLabels) -> [Metric] {
        samples(source).map { sample in
            Metric {
                $0.name = name
                $0.metricType = type
                $0.labelValues = common.values + sample.labels
                $0.value = number(sample.value)
            }
        }
    }
}

/// The labels that every metric has: whose it is.
struct MetricLabels {
    static let keys = ["id", "name", "image", "container", "pod", "namespace"]

    let values: [String]

    /// Of a pod: those of a container are empty, as in cAdvisor.
    init(_ pod: PodRecord) {
        let metadata = pod.config.metadata
        values = [pod.id, "", "", "", metadata?.name ?? "", metadata?.namespace ?? ""]
    }

    init(_ container: ContainerRecord, in pod: PodRecord) {
        let metadata = pod.config.metadata
        let image = container.config.image
        let name = [image?.userSpecifiedImage, image?.image].compactMap(\.self).first { !$0.isEmpty } ?? ""
        values = [
            container.id, container.name, name, container.config.metadata?.name ?? "", metadata?.name ?? "",
            metadata?.namespace ?? "",
        ]
    }
}
