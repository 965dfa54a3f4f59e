import StripeSimulation
import Testing

@Test func `a request without a key is refused`() throws {
    let simulator = try StripeSimulator(.init(clock: { 1_795_000_000_000 }))
    let outcome = simulator.respond(to: SimulatedRequest(method: "GET", path: "/v1/account"))
    #expect(outcome.response.status == 401)
}
