import Glibc

/// Lets the daemon open as many files as its hard limit allows: each connection is one, and a pod's machine takes some.
/// Above this bound nothing is gained, and programs that close all that they might have inherited get slow.
func raiseDescriptorLimit(to most: rlim_t = 65536) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    let wanted = min(limit.rlim_max, most)
    guard limit.rlim_cur < wanted else { return }
    limit.rlim_cur = wanted
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
