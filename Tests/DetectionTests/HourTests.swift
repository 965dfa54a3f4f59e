import Detection
import Testing

struct HourTests {
    @Test(arguments: [
        (0, 0, 3), (23, 0, 3), (24, 1, 4), (-1, -1, 2), (-24, -1, 2), (-25, -2, 1), (96, 4, 0),
    ])
    func `an hour knows its day and weekday`(index: Int, day: Int, weekday: Int) {
        #expect(Hour(index).day == day)
        #expect(Hour(index).weekday == weekday)
        #expect(Hour(index).ofDay == index - day * 24)
    }
}
