"""Whether changes could be chance: a test of verdicts that changed, and a correction for making many tests."""

import math
from collections.abc import Sequence

import numpy as np


def mcnemar(one_way: int, other_way: int) -> float:
    """McNemar's exact test, two-sided: how often chance would part so many changes at least as unevenly.

    Under the null hypothesis each change goes either way with probability 1/2 (Q. McNemar, Psychometrika 12(2), 1947,
    with the binomial in place of its approximation).

    Args:
        one_way, other_way: how many clips changed from right to wrong, and from wrong to right.
    """
    changed = one_way + other_way
    # In logarithms, for the binomial coefficients of many thousand changes have thousands of digits.
    whole = math.lgamma(changed + 1) - changed * math.log(2)
    tail = sum(
        math.exp(whole - math.lgamma(count + 1) - math.lgamma(changed - count + 1))
        for count in range(min(one_way, other_way) + 1)
    )
    return min(1.0, 2 * tail)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for how many there are, in their order.

    If none of the differences exists, the chance that any corrected value is below a level is at most that level
    (S. Holm, Scandinavian Journal of Statistics 6(2), 1979).
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = largest
    return corrected
