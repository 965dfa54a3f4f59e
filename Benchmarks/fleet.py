"""Seeded series to judge detectors on: a fleet of metered customers, and machines' metrics.

Needs nothing but Python. A series is a list of hourly values; a label is (first hour, hour after the
last, kind). The same seed gives the same series on every machine with the same Python.
"""

import math
import random

KINDS = ("spike", "drop", "ramp", "night_shift", "level")
HOURS = {"spike": 3, "drop": 6, "ramp": 168, "night_shift": 72, "level": 168}


def poisson(rng: random.Random, mean: float) -> int:
    """By inversion while that is exact and fast; beyond, the rounded normal."""
    if mean > 60:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def negative_binomial(rng: random.Random, mean: float, size: float) -> int:
    """Variance mean + mean^2 / size: a Poisson whose rate is gamma distributed."""
    if mean <= 0:
        return 0
    return poisson(rng, mean * rng.gammavariate(size, 1 / size))


class Customer:
    """The expected usage of one series, hour by hour, before anything unusual happens."""

    def __init__(self, rng: random.Random, hours: int) -> None:
        base = min(50_000.0, max(0.3, rng.lognormvariate(math.log(40), 1.6)))
        self.size = math.exp(rng.uniform(math.log(3), math.log(100)))
        peak, swing, second = rng.uniform(0, 24), rng.uniform(0.2, 1.1), rng.uniform(0, 0.4)
        day = [math.exp(swing * math.cos((h - peak) * math.pi / 12)
                        + second * math.cos((h - peak) * math.pi / 6)) for h in range(24)]
        self.shape = [value * 24 / sum(day) for value in day]
        weekend = 1.0 if rng.random() < 0.3 else rng.uniform(0.25, 0.9)
        drift, wander = rng.gauss(0, 0.2) / 1440, rng.uniform(0, 0.05)
        level, self.mean = 0.0, []
        for hour in range(hours):
            if hour % 24 == 0:
                level = 0.7 * level + rng.gauss(0, wander)
            factor = weekend if (hour // 24 + 3) % 7 >= 5 else 1.0
            self.mean.append(base * factor * math.exp(level + drift * hour))


def usage(rng: random.Random, hours: int, kind: str | None):
    """One customer's hours, from a Thursday on, with at most one anomaly."""
    customer, label = Customer(rng, hours), None
    start = rng.randrange(31 * 24, hours - 192) if kind else 0
    end = start + HOURS.get(kind, 0)
    if kind == "level" and rng.random() < 0.5:
        end = hours  # for good
    if kind:
        label = (start, end, kind)
    values = []
    for hour in range(hours):
        factor, of_day = 1.0, hour % 24
        if kind and start <= hour < end:
            if kind == "spike":
                factor = 3.0
            elif kind == "drop":
                factor = 0.0
            elif kind == "ramp":
                factor = 1 + 0.7 * (hour - start) / (end - start)
            elif kind == "level":
                factor = 1.5
            elif kind == "night_shift":
                of_day = (of_day + 12) % 24
        mean = customer.mean[hour] * customer.shape[of_day] * factor
        values.append(negative_binomial(rng, mean, customer.size))
    return values, label


def fleet(seed: int, count: int, days: int, is_clean: bool = False):
    """Yields (name, values, labels): usage with an anomaly in each series, the kinds in turn."""
    for index in range(count):
        rng = random.Random(seed * 1_000_003 + index)
        values, label = usage(rng, days * 24, None if is_clean else KINDS[index % 5])
        yield f"customer-{index:05}", values, [label] if label else []


def machine(seed: int, count: int):
    """Yields (name, values, labels): metrics of machines, two to four weeks, values of any unit.

    A value is the sum of twelve five-minute samples. Noise is Gaussian, heavy-tailed or autocorrelated,
    with or without a day's rhythm; labels are spikes, dips, level changes, noise changes and flat lines.
    """
    for index in range(count):
        rng = random.Random(seed * 7_000_003 + index)
        hours = rng.choice((14, 14, 14, 17, 21, 28)) * 24 + rng.randrange(24)
        family = rng.choice(("metric", "metric", "metric", "periodic", "counts"))
        scale = 10 ** rng.uniform(-1, 7) if family != "counts" else 1
        level = rng.uniform(0.5, 20)
        rhythm = rng.choice((0, 0, 0.1, 0.3, 0.6)) * level
        noise = rng.choice((0.3, 1.0, 1.0, 2.0))
        phi = rng.choice((0.0, 0.3, 0.6, 0.9, 0.97))
        tail = rng.choice(("normal", "normal", "t", "burst"))
        trend = rng.choice((0, 0, 0, 0.002, 0.01)) * rng.choice((-1, 1))
        if family == "periodic":  # almost noise-free, with a strong rhythm
            rhythm, noise, phi, tail = level * rng.uniform(0.5, 2), level * 0.05, 0.0, "normal"
        sparse = family == "metric" and rng.random() < 0.1
        peak = rng.randrange(24)
        labels = []
        for _ in range(rng.choice((1, 1, 2, 2, 3))):
            start = rng.randrange(int(hours * 0.2), hours - 36)
            kind = rng.choice(("spike", "spike", "spike", "dip", "level", "noise", "flat"))
            length = {"spike": rng.randrange(1, 4), "dip": rng.randrange(1, 12),
                      "level": rng.randrange(24, 200), "noise": rng.randrange(6, 36),
                      "flat": rng.randrange(8, 36)}[kind]
            size = rng.uniform(3, 12)
            if all(start > b + 30 or start + length < a - 30 for a, b, *_ in labels):
                labels.append((start, min(hours, start + length), kind, size))
        state, values, held = 0.0, [], 0.0
        for hour in range(hours):
            shock = rng.gauss(0, 1)
            if tail == "t":
                shock /= math.sqrt(rng.gammavariate(1.5, 1 / 1.5))
            widened, shift, flat = 1.0, 0.0, False
            for a, b, kind, size in labels:
                if a <= hour < b:
                    if kind in ("spike", "level"):
                        shift += size * (0.5 if kind == "level" else 1)
                    elif kind == "dip":
                        shift -= size * 0.7
                    elif kind == "noise":
                        widened = size / 2
                    else:
                        flat = True
            state = phi * state + math.sqrt(1 - phi * phi) * shock
            burst = rng.expovariate(0.3) if tail == "burst" and rng.random() < 0.03 else 0.0
            value = (level * 3 + rhythm * math.cos((hour - peak) * math.pi / 12) + trend * hour
                     + noise * (state * widened + shift + burst))
            if sparse:
                value = max(0.0, value - level * 3 - noise)
            if flat:
                value = held
            held = value
            value = max(0.0, value)
            values.append(negative_binomial(rng, value * 12, 4) if family == "counts"
                          else value * scale * 12)
        yield f"machine-{index:04}", values, [(a, b, kind) for a, b, kind, _ in labels]
