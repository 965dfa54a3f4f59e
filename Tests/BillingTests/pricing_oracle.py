"""Prices invoices a second time, with fractions, and with nothing taken from the program.

Reads one case a line (JSON) from standard input and writes one result a line:

  case:   {"currency", "base_fee", "minimum", "charges": [...], "quantities": [...]}; amounts and
          quantities are decimal strings or null, and charges[i] prices quantities[i].
  result: {"lines": [{"charge", "minor"}], "total", "hold", "shares": [[[up_to, quantity,
          unit_amount, flat_amount], ...], ...], "halves"}; "halves" counts the lines whose exact
          amount lay half way between two that can be charged.
"""

import json
import sys
from fractions import Fraction
from math import floor

# docs.stripe.com/currencies
WHOLE = set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THOUSANDTHS = set("bhd jod kwd omr tnd".split())
WHOLE_IN_HUNDREDTHS = set("isk ugx".split())
LARGEST = 2**63 - 1
LARGEST_CHARGE = 99_999_999


def scale(currency):
    """Minor units of a major one, and the multiple of minor units that amounts are."""
    if currency in WHOLE:
        return 1, 1
    if currency in THOUSANDTHS:
        return 1000, 10
    return 100, 100 if currency in WHOLE_IN_HUNDREDTHS else 1


def plain(number):
    """The shortest plain decimal."""
    if number is None:
        return None
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    digits = str(int(number * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def tiers_of(charge):
    """(lower bound, upper bound or None, unit amount, flat amount) of each tier."""
    lower = Fraction(0)
    for up_to, unit, flat in charge["tiers"]:
        upper = None if up_to is None else Fraction(up_to)
        yield lower, upper, Fraction(unit), Fraction(flat or 0)
        lower = upper


def shares_of(charge, quantity):
    """What each tier prices: (up_to, quantity, unit amount, flat amount)."""
    if quantity == 0:
        return []
    if charge["model"] == "per_unit":
        return [(None, quantity, Fraction(charge["unit_amount"]), Fraction(0))]
    if charge["model"] == "package":
        packages = -((-quantity) // Fraction(charge["package_size"]))
        return [(None, Fraction(packages), Fraction(charge["unit_amount"]), Fraction(0))]
    if charge["model"] == "volume":
        return [
            (upper, quantity, unit, flat)
            for lower, upper, unit, flat in tiers_of(charge)
            if lower < quantity and (upper is None or quantity <= upper)
        ]
    return [
        (upper, (quantity if upper is None else min(quantity, upper)) - lower, unit, flat)
        for lower, upper, unit, flat in tiers_of(charge)
        if quantity > lower
    ]


def invoice(case):
    minor_of_major, step = scale(case["currency"])
    halves = 0

    def minor(amount):
        nonlocal halves
        steps = amount * minor_of_major / step
        halves += steps % 1 == Fraction(1, 2)
        return floor(steps + Fraction(1, 2)) * step  # amounts are not negative

    lines, shares = [], []
    if case["base_fee"] is not None:
        lines.append(("base_fee", minor(Fraction(case["base_fee"]))))
    for index, (charge, quantity) in enumerate(zip(case["charges"], case["quantities"])):
        quantity = Fraction(quantity)
        parts = shares_of(charge, quantity)
        shares.append([[plain(value) for value in part] for part in parts])
        if quantity > 0:
            amount = sum(units * unit + flat for _, units, unit, flat in parts)
            lines.append((f"m{index}", minor(amount)))
    minimum = 0 if case["minimum"] is None else minor(Fraction(case["minimum"]))
    used = sum(amount for _, amount in lines)
    if minimum > used:
        lines.append(("minimum", minimum - used))
    total = max(used, minimum)
    if max(total, minimum) > LARGEST:
        lines, total, hold = [], 0, "amount_overflow"
    else:
        hold = "amount_too_large" if total > LARGEST_CHARGE else None
    return {
        "lines": [{"charge": charge, "minor": amount} for charge, amount in lines],
        "total": total,
        "hold": hold,
        "shares": shares,
        "halves": halves,
    }


for line in sys.stdin:
    print(json.dumps(invoice(json.loads(line))))
