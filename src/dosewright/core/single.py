"""Elementary functions in single precision that compile to vector code: no branch, no library call.

Arguments and results are float32. A literal in Numba is a float64 and would widen everything it meets, so constants
are float32 by name. Accuracy (absolute or relative, the tests hold it) is 3e-7 unless a function says otherwise.
"""

import numpy as np

from dosewright.core.jit import inlined

f32, i32 = np.float32, np.int32

ZERO, HALF, ONE, TWO, FOUR, NINTH, THIRD = (f32(c) for c in (0, 0.5, 1, 2, 4, 1 / 9, 1 / 3))
LN2, PER_LN2 = f32(0.6931471805599453), f32(1.4426950408889634)
QUARTER_TURN = f32(1.5707963267948966)
THREE_HALVES = f32(1.5)

MANTISSA = i32(0x007FFFFF)
EXPONENT_OF_ONE = i32(0x3F800000)
MANTISSA_BITS = i32(23)
SQRT_TWO = f32(1.4142135)

# (log(1 + x) - x + x^2/2)/x^3 for sqrt(1/2) < 1 + x < sqrt(2): own polynomial through Chebyshev nodes, error 1e-8.
L0, L1, L2, L3 = f32(0.333333286), f32(-0.250002965), f32(0.200014686), f32(-0.166422476)
L4, L5, L6, L7 = f32(0.142021739), f32(-0.129722391), f32(0.127123072), f32(-0.0810155745)
# Taylor coefficients of sine, exponential and cosine.
S1, S2, S3, S4 = f32(-1 / 6), f32(1 / 120), f32(-1 / 5040), f32(1 / 362880)
E2, E3, E4, E5, E6 = f32(1 / 2), f32(1 / 6), f32(1 / 24), f32(1 / 120), f32(1 / 720)
C1, C2, C3, C4 = f32(-1 / 2), f32(1 / 24), f32(-1 / 720), f32(1 / 40320)


@inlined
def bits_of(x):
    """Return the 32 bits of a float32 as an integer."""
    return f32(x).view(np.int32)


@inlined
def float_of(bits):
    """Return the float32 that has these 32 bits."""
    return i32(bits).view(np.float32)


@inlined
def log(x):
    """Natural logarithm of a positive normal number."""
    bits = bits_of(x)
    exponent = f32(i32(i32(bits >> MANTISSA_BITS) - i32(127)))
    m = float_of(i32(i32(bits & MANTISSA) | EXPONENT_OF_ONE))
    high = m > SQRT_TWO
    m = m * HALF if high else m
    exponent = exponent + ONE if high else exponent
    r = m - ONE
    tail = L0 + r * (L1 + r * (L2 + r * (L3 + r * (L4 + r * (L5 + r * (L6 + r * L7))))))
    return exponent * LN2 + (r - r * r * (HALF - r * tail))


@inlined
def exp_minus(x):
    """Exponential of -x for x from 0 to 80."""
    t = x * PER_LN2
    whole = i32(t + HALF)
    r = (t - f32(whole)) * LN2
    power = float_of(i32(i32(i32(127) - whole) << MANTISSA_BITS))
    return power * (ONE - r * (ONE - r * (E2 - r * (E3 - r * (E4 - r * (E5 - r * E6))))))


@inlined
def small_cos_sin(angle):
    """Cosine and sine of an angle of at most a quarter turn (to 3e-5 there, 3e-7 below an eighth)."""
    a2 = angle * angle
    cosine = ONE + a2 * (C1 + a2 * (C2 + a2 * (C3 + a2 * C4)))
    sine = angle * (ONE + a2 * (S1 + a2 * (S2 + a2 * (S3 + a2 * S4))))
    return cosine, sine


@inlined
def random_direction(u):
    """Cosine and sine of an angle uniform over the whole turn, from a uniform number in [0, 1)."""
    quarters = FOUR * u
    quadrant = i32(quarters)
    cosine, sine = small_cos_sin((quarters - f32(quadrant) - HALF) * QUARTER_TURN)
    odd = (quadrant & i32(1)) != i32(0)
    a = -sine if odd else cosine
    b = cosine if odd else sine
    flip = quadrant >= i32(2)
    return (-a if flip else a), (-b if flip else b)
