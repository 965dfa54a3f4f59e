import Foundation
import Testing

@testable import Detection

struct StatisticsTests {
    @Test func `a quantile and a median are those of the sorted values`() {
        var generator = SplitMix64(seed: 8)
        for count in 1..<60 {
            let values = (0..<count).map { _ in Double(Int.random(in: 0..<20, using: &generator)) }
            let sorted = values.sorted()
            for share in [0.01, 0.5, 0.97, 0.99, 1] {
                let rank = max(1, Int((Double(count) * share).rounded(.up)))
                #expect(Robust.quantile(values, share) == sorted[rank - 1])
            }
            let middle = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
            #expect(Robust.median(values) == middle)
            #expect(Robust.median(sorted: sorted) == middle)
        }
    }

    @Test(arguments: [(1, 1e-4), (1, 0.1), (2000, 0.01), (0.01, 2)])
    func `a stabilised value comes back, and its noise has one size`(
        unit: Double, dispersion: Double
    ) {
        let model = VarianceModel(unit: unit, dispersion: dispersion)
        for value in [0.0, 1, 2.5, 40, 1e6] {
            let below = model.value(centre: model.stabilised(-value * unit))
            #expect(abs(below + value * unit) <= 1e-3 * unit + 1e-6 * value * unit)
            let back = model.value(stabilised: model.stabilised(value * unit))
            #expect(abs(back - value * unit) <= 1e-9 * max(unit, value * unit))
        }
        // The slope is 1 / sd: sd = unit sqrt(v + dispersion v^2).
        for events in [50.0, 500, 5000] {
            let deviation = unit * (events + dispersion * events * events).squareRoot()
            let slope =
                (model.stabilised(events * unit * 1.001) - model.stabilised(events * unit))
                / (events * unit * 0.001)
            #expect(abs(slope * deviation - 1) < 0.02)
        }
    }

    @Test func `the variance of counts is found again`() {
        let moments = (1...24).map { hour in
            let mean = Double(hour) * 10
            return VarianceModel.Moments(mean: mean, variance: mean + 0.04 * mean * mean, count: 20)
        }
        let fitted = VarianceModel.fitted(moments, isCount: true)
        #expect(abs(fitted.unit - 1) < 1e-6 && abs(fitted.dispersion - 0.04) < 1e-6)
    }

    @Test func `a chi-squared's median scores nearly 0`() {
        #expect(abs(Gaussian.score(chiSquared: 5.348, degreesOfFreedom: 6)) < 0.01)
        #expect(abs(Gaussian.tailProbability(3) - 0.0027) < 1e-4)
    }

    @Test func `a level that every hour shares has no shape`() {
        var shape = ShapeStatistic()
        for hour in 0..<24 {
            shape.add(1.5 * (1 + Double(hour) / 24), weight: 1 + Double(hour) / 24, hourOfDay: hour)
        }
        #expect(shape.energy(level: 1.5) < 1e-20)
        #expect(shape.energy(level: 0) > 1)
    }
}
