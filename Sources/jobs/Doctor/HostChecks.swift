internal import Foundation
internal import Glibc

/// What the machine says.
enum HostChecks {
    static func disk() async throws -> [Finding] {
        let places = [FileManager.default.currentDirectoryPath, NSTemporaryDirectory()]
        return places.compactMap { place in
            var values = statvfs()
            guard statvfs(place, &values) == 0 else { return nil }
            return .disk(
                "host", place, free: Int64(values.f_bavail) * Int64(values.f_frsize),
                total: Int64(values.f_blocks) * Int64(values.f_frsize))
        }
    }

    /// Whether somebody launches the jobs: systemd, else cron.
    static func schedules() async throws -> [Finding] {
        let timers = output("systemctl list-timers --all --no-legend 'meterflow-*'")
        let crontab = (output("crontab -l") ?? "") + systemCrontabs()
        let isServed = output("systemctl is-active meterflow-serve.service") != nil
        return JobRegistry.descriptions.map { job in
            if isServed && job.isServed {
                return .ok("jobs", "schedule", "\(job.name) is done by meterflow-serve.service")
            }
            if let line = timers?.split(separator: "\n").first(where: {
                $0.contains("meterflow-\(job.name).timer")
            }) {
                // "n/a" or "-" for the next time: the timer is there, and not started.
                let next = line.split(separator: " ").first.map(String.init) ?? "n/a"
                return ["n/a", "-"].contains(next)
                    ? .warning(
                        "jobs", "schedule", "the timer of \(job.name) is not active",
                        "systemctl enable --now meterflow-\(job.name).timer")
                    : .ok("jobs", "schedule", "\(job.name) is launched by a timer of systemd")
            }
            let isInCron = crontab.split(separator: "\n").contains {
                !$0.hasPrefix("#") && $0.contains("run \(job.name) ")
            }
            return isInCron
                ? .ok("jobs", "schedule", "\(job.name) is launched by cron")
                : .warning(
                    "jobs", "schedule", "nothing on this machine launches \(job.name)",
                    job.isServed
                        ? "right if jobs serve runs, or another machine does; else: jobs schedules install"
                        : "right if another machine does; else: jobs schedules install")
        }
    }

    private static func systemCrontabs() -> String {
        let folder = "/etc/cron.d"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let paths = ["/etc/crontab"] + names.map { "\(folder)/\($0)" }
        return paths.compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }
            .joined(separator: "\n")
    }

    /// - Parameter command: a fixed text, for the shell.
    /// - Returns: nil: the program is not there, or failed.
    private static func output(_ command: String) -> String? {
        guard let pipe = popen("\(command) 2>/dev/null </dev/null", "re") else { return nil }
        var text = ""
        var buffer = [CChar](repeating: 0, count: 4096)
        while let line = fgets(&buffer, Int32(buffer.count), pipe) { text += String(cString: line) }
        return pclose(pipe) == 0 ? text : nil
    }
}

extension Finding {
    static func disk(_ area: String, _ place: String, free: Int64, total: Int64) -> Finding {
        let percent = free * 100 / max(1, total)
        let text = "\(place): \(free >> 30) GB free, \(percent) %"
        // Both: a tenth of a large disk is enough.
        return percent >= 10 || free > 100 << 30
            ? .ok(area, "disk", text)
            : .warning(area, "disk", text, "make room: jobs run purge, or a larger disk")
    }
}
