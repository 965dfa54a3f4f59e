internal import CLibcurl

/// The driving thread's own state: made, run and gone on that thread.
final class DriverLoop {
    private let driver: Driver
    private let configuration: HTTPClientConfiguration
    private let multi: UnsafeMutableRawPointer
    private var running: [ObjectIdentifier: Running] = [:]
    /// The earliest moment at which a transfer has to be looked at.
    private var nextLook: ContinuousClock.Instant?

    /// A transfer that libcurl has in hand.
    private struct Running {
        let easy: EasyHandle
        var watch: TransferWatch

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
            look()
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
            let watch = TransferWatch(transfer, now: .now)
            running[ObjectIdentifier(transfer)] = Running(easy: easy, watch: watch)
            lookAgain(at: watch.nextLook)
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

    private func lookAgain(at moment: ContinuousClock.Instant?) {
        guard let moment else { return }
        nextLook = min(nextLook ?? moment, moment)
    }

    /// Fails what is overdue and nudges what is silent.
    private func look() {
        let now = ContinuousClock.now
        guard let due = nextLook, due <= now else { return }
        nextLook = nil
        for (id, entry) in running {
            let (easy, transfer) = (entry.easy, entry.transfer)
            var watch = entry.watch
            let timeouts = transfer.request.timeouts
            switch watch.look(at: now, movedBytes: easy.movedBytes, canStall: transfer.canStall) {
            case .overdue:
                transfer.settle { .failed(.totalTimeout(timeouts.totalSeconds ?? 0, $0)) }
                remove(transfer)
            case .stalled:
                transfer.settle { .failed(.stalled(timeouts.stalledSeconds ?? 0, $0)) }
                remove(transfer)
            case .silent where transfer.request.isMultiplexed:
                easy.nudge()
                fallthrough
            case .silent, .fine:
                running[id]?.watch = watch
                lookAgain(at: watch.nextLook)
            }
        }
    }

    /// How long to sleep at most; libcurl's own timers shorten it further.
    private var pollMilliseconds: Int32 {
        // A second while anything runs: libcurl does not wake up for the connect time-out of a
        // request that waited in line for its connection.
        let longest = running.isEmpty ? 60_000.0 : 1_000.0
        guard let nextLook else { return Int32(longest) }
        let left = (nextLook - .now) / .milliseconds(1)
        return Int32(min(max(left.rounded(.up), 1), longest))
    }
}
