internal import CLibcurl

/// The driving thread's own state: made, run and gone on that thread.
final class DriverLoop {
    private let driver: Driver
    private let configuration: HTTPClientConfiguration
    private let multi: UnsafeMutableRawPointer
    private var running: [ObjectIdentifier: Running] = [:]
    /// The earliest moment at which a time-out may have struck.
    private var nextCheck: ContinuousClock.Instant?

    /// A transfer that libcurl has in hand.
    private struct Running {
        let easy: EasyHandle
        var watch: StallWatch

        var transfer: Transfer { easy.transfer }
    }

    /// Runs until the driver is stopped.
    static func run(_ driver: Driver, _ configuration: HTTPClientConfiguration) {
        if let multi = curl_multi_init() {
            let loop = DriverLoop(driver, configuration, multi)
            loop.run()
            loop.end()
        } else {
            driver.willEnd()
            for case .start(let transfer) in driver.take().commands {
                transfer.settle { .failed(.other("libcurl has no memory", $0)) }
            }
        }
        driver.didEnd()
    }

    private init(
        _ driver: Driver, _ configuration: HTTPClientConfiguration,
        _ multi: UnsafeMutableRawPointer
    ) {
        self.driver = driver
        self.configuration = configuration
        self.multi = multi
        let total = configuration.maximumConnections
        meterflow_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, total)
        meterflow_curl_multi_set_long(
            multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maximumConnectionsPerHost)
        meterflow_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, total)
        let address = UInt(bitPattern: multi)
        driver.didBegin { curl_multi_wakeup(UnsafeMutableRawPointer(bitPattern: address)) }
    }

    private func run() {
        while true {
            let (commands, isStopping) = driver.take()
            for command in commands { perform(command) }
            if isStopping { return }
            var stillRunning: Int32 = 0
            curl_multi_perform(multi, &stillRunning)
            takeResults()
            checkTimes()
            curl_multi_poll(multi, nil, 0, pollMilliseconds, nil)
        }
    }

    private func end() {
        driver.willEnd()
        for command in driver.take().commands { perform(command) }
        for transfer in running.values.map(\.transfer) {
            transfer.settle { .failed(.closed($0)) }
            remove(transfer)
        }
        curl_multi_cleanup(multi)
    }

    // MARK: Commands

    private func perform(_ command: Driver.Command) {
        switch command {
        case .start(let transfer): start(transfer)
        case .resume(let transfer): running[ObjectIdentifier(transfer)]?.easy.applyPauses()
        case .drop(let transfer): remove(transfer)
        }
    }

    private func start(_ transfer: Transfer) {
        // Cancelled while it lay in the inbox.
        guard !transfer.isSettled else { return }
        transfer.didStart()
        do throws(EasyHandleFailure) {
            let easy = try EasyHandle(transfer, configuration: configuration)
            let code = curl_multi_add_handle(multi, easy.curl)
            guard code == CURLM_OK else {
                throw EasyHandleFailure(detail: String(cString: curl_multi_strerror(code)))
            }
            let watch = StallWatch(transfer.request.timeouts.stalledSeconds, now: .now)
            running[ObjectIdentifier(transfer)] = Running(easy: easy, watch: watch)
            checkAgain(by: watch.nextCheck)
            checkAgain(by: transfer.totalDeadline)
        } catch {
            transfer.settle { .failed(.other(error.detail, $0)) }
        }
    }

    /// The one place where libcurl lets go of a transfer. One in mid-request loses its connection.
    private func remove(_ transfer: Transfer) {
        guard let gone = running.removeValue(forKey: ObjectIdentifier(transfer)) else { return }
        curl_multi_remove_handle(multi, gone.easy.curl)
    }

    // MARK: Results

    private func takeResults() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE,
                let context = meterflow_curl_get_private(message.pointee.easy_handle)
            else { continue }
            // The message is gone once the handle is removed.
            let result = message.pointee.data.result
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            guard let ended = running[ObjectIdentifier(transfer)] else { continue }
            let detail = ended.easy.detail
            remove(transfer)
            transfer.settle { context in
                guard result != CURLE_OK else { return .complete }
                let words = String(cString: curl_easy_strerror(result))
                return .failed(
                    .network(
                        CurlFailure.code(result, phase: context.phase),
                        detail.isEmpty ? words : detail, context))
            }
        }
    }

    // MARK: Time-outs

    private func checkAgain(by moment: ContinuousClock.Instant?) {
        guard let moment else { return }
        nextCheck = min(nextCheck ?? moment, moment)
    }

    /// Fails what is overdue. Deadlines only ever move away, so that an early look is the only cost.
    private func checkTimes() {
        let now = ContinuousClock.now
        for (_, e) in running where e.transfer.request.version == .http2IfNegotiated {
            curl_easy_pause(e.easy.curl, CURLPAUSE_ALL); curl_easy_pause(e.easy.curl, CURLPAUSE_CONT)
        }
        guard let due = nextCheck, due <= now else { return }
        nextCheck = nil
        for (id, entry) in running {
            let transfer = entry.transfer
            let timeouts = transfer.request.timeouts
            if let deadline = transfer.totalDeadline, deadline <= now {
                transfer.settle { .failed(.totalTimeout(timeouts.totalSeconds ?? 0, $0)) }
                remove(transfer)
                continue
            }
            if running[id]?.watch.isStalled(
                at: now, movedBytes: entry.easy.movedBytes, canStall: transfer.canStall) == true
            {
                transfer.settle { .failed(.stalled(timeouts.stalledSeconds ?? 0, $0)) }
                remove(transfer)
                continue
            }
            checkAgain(by: running[id]?.watch.nextCheck)
            checkAgain(by: transfer.totalDeadline)
        }
    }

    /// How long to sleep at most; libcurl's own timers shorten it further.
    private var pollMilliseconds: Int32 {
        // A second while anything runs: libcurl does not wake up for the connect time-out of a request that waited
        // in line for its connection.
        let longest = running.isEmpty ? 60_000.0 : 100.0
        guard let nextCheck else { return Int32(longest) }
        let left = (nextCheck - .now) / .milliseconds(1)
        return Int32(min(max(left.rounded(.up), 1), longest))
    }
}

/// Notices that nothing moves any more, by looking at the byte counters now and then.
struct StallWatch {
    private let limitSeconds: Double?
    private var movedBytes: Int64 = -1
    private var lastMove: ContinuousClock.Instant
    private(set) var nextCheck: ContinuousClock.Instant?

    init(_ limitSeconds: Double?, now: ContinuousClock.Instant) {
        self.limitSeconds = limitSeconds
        lastMove = now
        nextCheck = limitSeconds.map { now + .seconds($0 / 4) }
    }

    /// Whether the limit has passed since a byte moved, or since the other side had the turn.
    ///
    /// It looks four times in a limit's length, so that a stall is noticed after 1 to 1.5 limits.
    mutating func isStalled(
        at now: ContinuousClock.Instant, movedBytes moved: Int64, canStall: Bool
    ) -> Bool {
        guard let limitSeconds, let due = nextCheck, due <= now else { return false }
        nextCheck = now + .seconds(limitSeconds / 4)
        if moved != movedBytes || !canStall {
            movedBytes = moved
            lastMove = now
            return false
        }
        return now - lastMove >= .seconds(limitSeconds)
    }
}
