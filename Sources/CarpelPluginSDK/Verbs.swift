/// What a network plugin's verbs are called on the wire: CNI's words.
public enum NetworkVerb: String, Sendable, CaseIterable {
    case add = "ADD"
    case delete = "DEL"
    case check = "CHECK"
    case collectGarbage = "GC"
    case status = "STATUS"
}

/// What a storage plugin's verbs are called on the wire: CSI's words, where it has one.
public enum StorageVerb: String, Sendable, CaseIterable {
    case createVolume = "CreateVolume"
    case deleteVolume = "DeleteVolume"
    case expandVolume = "ExpandVolume"
    case restoreVolume = "RestoreVolume"
    case listVolumes = "ListVolumes"
    case publishVolume = "PublishVolume"
    case unpublishVolume = "UnpublishVolume"
    case collectPublications = "CollectPublications"
    case createSnapshot = "CreateSnapshot"
    case deleteSnapshot = "DeleteSnapshot"
    case listSnapshots = "ListSnapshots"
    case getCapacity = "GetCapacity"
    case probe = "Probe"
}
