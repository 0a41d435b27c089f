"""Exact results of the elementary functions in double precision, for the exhaustive driver.

    python3 reference.py FUNCTION POINTS FILE

writes POINTS records: argument (two for pow), the result rounded to double, (exact - rounded) in units of the last
place of rounded. Half of the points cover the whole range of the function, half its hard places; the same every time.
"""
import math
import random
import struct
import sys

from mpmath import libmp
from mpmath.libmp import from_float, fone, fzero, mpf_abs, mpf_add, mpf_div, mpf_mul, mpf_neg, mpf_sub, to_float

PRECISION = 140
LOG2 = libmp.mpf_ln2(PRECISION + 30)
SMALLEST, LARGEST, NORMAL = 5e-324, sys.float_info.max, sys.float_info.min


def exp(x):
    return libmp.mpf_exp(x, PRECISION)


def expm1(x):
    magnitude = libmp.mpf_abs(x)
    extra = max(0, -(magnitude[2] + magnitude[3]))  # bits that cancel
    return mpf_sub(libmp.mpf_exp(x, PRECISION + extra), fone, PRECISION)


def log(x):
    return libmp.mpf_log(x, PRECISION)


def log1p(x):
    if x == fzero:
        return x
    return libmp.mpf_log(mpf_add(fone, x), PRECISION)  # the sum is exact


def exp2(x):
    return libmp.mpf_exp(mpf_mul(x, LOG2), PRECISION)


def log2(x):
    return mpf_div(libmp.mpf_log(x, PRECISION), LOG2, PRECISION)


def sigmoid(x):
    return mpf_div(fone, mpf_add(fone, exp(mpf_neg(x)), PRECISION), PRECISION)


def softplus(x):
    tail = log1p_of_small(exp(mpf_neg(mpf_abs(x))))
    return tail if x[0] else mpf_add(x, tail, PRECISION)


def log1p_of_small(x):
    if x[2] + x[3] < -200:
        return x
    return libmp.mpf_log(mpf_add(fone, x, 400), PRECISION)


def log_sigmoid(x):
    return mpf_neg(softplus(mpf_neg(x)))


def cosine_of_turns(x):
    quarters = libmp.mpf_nint(libmp.mpf_shift(x, 2))
    rest = mpf_sub(x, libmp.mpf_shift(quarters, -2))  # exact
    angle = mpf_mul(rest, libmp.mpf_shift(libmp.mpf_pi(PRECISION + 30), 1))
    quarter = int(libmp.to_int(quarters)) % 4
    result = (libmp.mpf_sin if quarter % 2 else libmp.mpf_cos)(angle, PRECISION)
    return mpf_neg(result) if quarter in (1, 2) else result


def tanh(x):
    return libmp.mpf_tanh(x, PRECISION)


def erf(x):
    return libmp.mpf_erf(x, PRECISION)


def atan(x):
    return libmp.mpf_atan(x, PRECISION)


# Where each function is exact outside the finite numbers.
LIMITS = {
    "exp": (0.0, math.inf), "exp_of_non_positive": (0.0, None), "expm1": (-1.0, math.inf), "exp2": (0.0, math.inf),
    "log": (math.nan, math.inf), "log2": (math.nan, math.inf), "log1p": (math.nan, math.inf),
    "log1p_of_fraction": (None, None), "sigmoid": (0.0, 1.0), "log_sigmoid": (-math.inf, 0.0),
    "softplus": (0.0, math.inf), "cosine_of_turns": (math.nan, math.nan), "tanh": (-1.0, 1.0), "erf": (-1.0, 1.0),
    "atan": (-math.pi / 2, math.pi / 2),
}
FUNCTIONS = {
    "exp": exp, "exp_of_non_positive": exp, "expm1": expm1, "exp2": exp2, "log": log, "log2": log2, "log1p": log1p,
    "log1p_of_fraction": log1p, "sigmoid": sigmoid, "log_sigmoid": log_sigmoid, "softplus": softplus,
    "cosine_of_turns": cosine_of_turns, "tanh": tanh, "erf": erf, "atan": atan,
}
# Beyond these arguments the result has underflowed, overflowed or stopped changing.
RANGES = {
    "exp": (-746, 710), "exp_of_non_positive": (-746, 0), "expm1": (-45, 710), "exp2": (-1076, 1025),
    "sigmoid": (-746, 40), "log_sigmoid": (-1000, 746), "softplus": (-746, 1000), "tanh": (-22, 22), "erf": (-6.5, 6.5),
    "cosine_of_turns": (-2, 2), "log1p_of_fraction": (0, 1), "log": (0, 4), "log2": (0, 4), "log1p": (-1, 4),
    "atan": (-50, 50),
}
# Places where rounding or cancellation is worst: range edges and the cuts of the argument reductions.
HARD = {
    "exp": [-745.13, -708.4, -1.04, -0.3466, 0, 0.3466, 709.78],
    "exp_of_non_positive": [-745.13, -708.4, -1.04, -0.3466, 0],
    "expm1": [-37.4, -1.04, -0.69, -0.3466, 0, 0.3466, 0.41, 0.69, 1.04, 36.7, 709.4, 709.78],
    "exp2": [-1074.5, -1022, -1.5, -0.5, 0, 0.5, 1.5, 1023.9],
    "log": [NORMAL, 0.5, 0.75, 1, 1.5, 2, 2.7183, LARGEST / 2],
    "log2": [NORMAL, 0.5, 0.75, 1, 1.5, 2, 4, LARGEST / 2],
    "log1p": [-0.99999, -0.625, -0.25, 0, 0.5, 1, 2, LARGEST / 2],
    "log1p_of_fraction": [NORMAL, 1e-16, 0.25, 0.5, 0.75, 0.99],
    "sigmoid": [-745.13, -708.4, -37, -0.3466, 0, 0.3466, 1, 37],
    "log_sigmoid": [-37, -1.04, -0.6931, 0, 0.6931, 1.04, 36.7, 708.4, 745.13],
    "softplus": [-745.13, -708.4, -36.7, -1.04, -0.6931, 0, 0.6931, 1.04, 37],
    "cosine_of_turns": [-0.875, -0.5, -0.25, 0, 0.125, 0.25, 0.375, 0.5, 0.75, 1, 1e6 + 0.25, 2.0**50, 2.0**52],
    "tanh": [-19.06, -0.625, -0.1733, 0, 0.1733, 0.5493, 0.625, 19.06],
    "erf": [-5.92, -1, 0, 0.5, 1, 1.25, 2, 5.92],
    "atan": [-2.41421, -1, -0.41421, 0, 0.41421, 1, 2.41421],
}


def next_float(x, steps):
    """The double `steps` places from x."""
    bits = struct.unpack("<q", struct.pack("<d", x))[0]
    ordered = bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)
    ordered += steps
    limit = 0x7FEF_FFFF_FFFF_FFFF
    ordered = max(-limit, min(limit, ordered))
    bits = ordered if ordered >= 0 else -ordered | 1 << 63
    return struct.unpack("<d", struct.pack("<Q", bits & 0xFFFF_FFFF_FFFF_FFFF))[0]


def arguments(name, count, source):
    low, high = RANGES[name]
    positive = name in ("log", "log2")
    unit = name == "log1p_of_fraction"
    yield from [] if unit else [math.nan, math.inf] * (name != "exp_of_non_positive") + [-math.inf]
    yield from [0.0, SMALLEST, NORMAL, next_float(NORMAL, -1), 1.0] if name != "exp_of_non_positive" else [-0.0, -1.0, -SMALLEST]
    yield from [] if unit or name == "exp_of_non_positive" else [-0.0, -SMALLEST, -NORMAL, LARGEST, -LARGEST, -1.0]
    for i in range(count):
        kind = i % 4
        if kind == 0:  # evenly over the range
            x = source.uniform(low, high)
        elif kind == 1:  # any magnitude at all
            exponent = source.uniform(-1074, 1024 if high > 1 and (positive or name == "log1p") else math.log2(max(-low, high)))
            x = 2.0 ** min(exponent, 1023.999) * (1 if positive or unit else source.choice((-1, 1)))
        elif kind == 2:  # around a hard place, at all distances
            place = source.choice(HARD[name])
            x = place + math.copysign(2.0 ** source.uniform(-60, -3), source.random() - 0.5) * max(1.0, abs(place)) \
                if abs(place) < 1e300 else place * source.uniform(0.9, 1.999)
        else:  # the neighbours of a hard place
            x = next_float(float(source.choice(HARD[name])), source.randrange(-4000, 4001))
        if name == "exp_of_non_positive":
            x = -abs(x)
        if unit:
            x = abs(x) if abs(x) <= 1 else 1 / abs(x)
        if name == "log1p" and x <= -1:
            x = -1 / x if x < -1 else 0.5
        yield abs(x) if positive else x


def record(exact):
    """An mpf as the nearest double and the rest in ulps."""
    rounded = to_float(exact)
    if math.isinf(rounded):
        return rounded, 0.0
    ulp = math.ulp(rounded)
    rest = to_float(mpf_div(mpf_sub(exact, from_float(rounded)), from_float(ulp), 60))
    return rounded, rest


def tiny(name, x):
    """Results that are x itself or a limit up to less than 2^-100 of an ulp; computing them would cost dear."""
    magnitude = abs(x)
    if x == 0 and name in ("expm1", "log1p", "log1p_of_fraction", "tanh", "erf", "atan"):
        return x, 0.0
    if name in ("log", "log2"):
        return (-math.inf, 0.0) if x == 0 else (math.nan, 0.0) if x < 0 else None
    if name == "log1p" and x <= -1:
        return (-math.inf, 0.0) if x == -1 else (math.nan, 0.0)
    if magnitude < 1e-200:
        if name in ("expm1", "log1p", "log1p_of_fraction", "tanh", "atan"):
            return x, 0.0
        if name in ("exp", "exp_of_non_positive", "exp2"):
            return 1.0, 0.0
        if name == "sigmoid":
            return 0.5, 0.0
    if name == "cosine_of_turns" and (magnitude < 1e-100 or magnitude >= 2.0**53):
        return 1.0, 0.0
    if magnitude > 2000 and name not in ("log1p", "cosine_of_turns", "atan"):
        limit = LIMITS[name][x > 0]
        if name == "log_sigmoid" and x < 0 or name == "softplus" and x > 0:
            return x, 0.0
        return limit, 0.0
    if name == "log_sigmoid" and x > 760 or name in ("softplus", "sigmoid") and x < -760:
        return 0.0, 0.0
    return None


def unary(name, count, file):
    function, source = FUNCTIONS[name], random.Random(name)
    for x in arguments(name, count, source):
        if math.isnan(x):
            result = math.nan, 0.0
        elif math.isinf(x):
            result = LIMITS[name][x > 0], 0.0
        else:
            result = tiny(name, x) or record(function(from_float(x)))
        file.write(struct.pack("<3d", x, *result))


def exact_power(x, y):
    """x^y for x > 0; a sign is left to the caller."""
    logarithm = libmp.mpf_log(from_float(x), PRECISION + 20)
    return libmp.mpf_exp(mpf_mul(from_float(y), logarithm), PRECISION)


def power(count, file):
    source = random.Random("pow")
    special = [0.0, SMALLEST, NORMAL, 0.5, 1.0, 1.5, 2.0, 3.0, 4.5, 2.0**52, 2.0**52 + 1, 2.0**53, 2.0**54, LARGEST, math.inf]
    special = [s * x for x in special for s in (1, -1)] + [math.nan]
    for x in special:
        for y in special:
            if math.isnan(x) or math.isnan(y) or math.isinf(x) or math.isinf(y) or x == 0 or y == 0:
                try:
                    value = math.pow(x, y)
                except ValueError:  # 0 to a negative power: the limit, with the sign of an odd integer y
                    odd = math.isfinite(y) and y == int(y) and int(y) % 2 == 1
                    value = math.copysign(math.inf, x) if odd else math.inf
                file.write(struct.pack("<4d", x, y, value, 0.0))
    for i in range(count):
        kind = i % 6
        if kind == 0:  # any base, a result anywhere in range and a little beyond it
            x = 2.0 ** source.uniform(-1074, 1023)
            y = source.uniform(-1080, 1030) / (math.log2(x) or 1)
        elif kind == 1:  # a base near 1
            x = 1 + math.copysign(2.0 ** source.uniform(-52, -1), source.random() - 0.5)
            y = source.uniform(-1080, 1030) / (math.log2(x) or 1)
        elif kind == 2:  # the edges of the result's range
            x = 2.0 ** source.uniform(-1074, 1023)
            y = source.choice((-1074.5, -1022, 1023.99)) * source.uniform(0.9999, 1.0001) / (math.log2(x) or 1)
        elif kind == 3:  # a probability to a small power, as losses need it
            x, y = source.random() or 0.5, source.uniform(0, 5)
        elif kind == 4:  # a negative base to an integral power
            x, y = -source.uniform(0, 20), float(source.randrange(-200, 200))
            x = x or -1.0
        else:  # around the cuts of the logarithm
            x = next_float(source.choice((0.75, 1.0, 1.5, 2.0, 3.0)), source.randrange(-4000, 4001))
            y = source.uniform(-1000, 1000)
        exponent = y * math.log2(abs(x)) if math.isfinite(y) else math.nan
        sign = -1 if x < 0 and y % 2 == 1 else 1
        if exponent < -1100:
            result = sign * 0.0, 0.0
        elif exponent > 1040:
            result = sign * math.inf, 0.0
        else:
            result = tuple(sign * part for part in record(exact_power(abs(x), y)))
        file.write(struct.pack("<4d", x, y, *result))


if __name__ == "__main__":
    function_name, points, path = sys.argv[1].removeprefix("shared_"), int(sys.argv[2]), sys.argv[3]
    with open(path, "wb") as output:
        if function_name == "pow":
            power(points, output)
        else:
            unary(function_name, points, output)
