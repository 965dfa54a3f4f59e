internal import HTTP

/// What comes before the work. Nobody watches a job that is launched: what may pass is tried again, and a
/// dead man's switch hears that the job could not even begin.
struct Launch: Sendable {
    /// Under which name the job is recorded; `nil`: a command of a person, who sees what went wrong.
    let job: String?
    let settings: Settings

    func preparing<Result>(_ body: () async throws -> Result) async throws -> Result {
        guard let job else { return try await body() }
        let logger = makeLogger(settings)
        do {
            return try await Retries(job: job, settings: settings, logger: logger, stop: nil)
                .run(body)
        } catch {
            if let http = try? HTTPClient(configuration: Live.httpConfiguration) {
                await Ping(settings, http, logger).end(of: job, ExitStatus(error))
                await http.shutdown()
            }
            throw error
        }
    }
}
