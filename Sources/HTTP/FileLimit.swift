import Glibc

/// Raises the number of files (and so of connections) this process may hold open; returns what it
/// now is.
///
/// systemd gives 1,024 unless a unit says more, which 1,000 connections exceed. `to` is capped by
/// the hard limit, and without it the hard limit is taken; the limit is never lowered.
@discardableResult
package func raiseFileLimit(to wanted: Int? = nil) -> Int {
    var limits = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limits) == 0 else { return 0 }
    let target = min(wanted.map { rlim_t($0) } ?? limits.rlim_max, limits.rlim_max)
    if target > limits.rlim_cur {
        let before = limits.rlim_cur
        limits.rlim_cur = target
        if setrlimit(resource, &limits) != 0 { limits.rlim_cur = before }
    }
    return Int(clamping: limits.rlim_cur)
}
