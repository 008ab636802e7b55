// Functions of a vector of floats. Polynomials are minimax fits (Lawson's iteration on 4,000 Chebyshev points, weighted
// for relative error); the argument reductions are those of W. Cody and W. Waite, "Software Manual for the Elementary
// Functions", 1980. The tests compare each with double precision; the bounds below are in units in the last place.

/// eˣ, within 2 units; 0 where the result is denormal, infinite above 88.72.
INLINE vector exponential(vector x) {
    x = choose(x > 89.0f, splat(89.0f), x);
    x = choose(x < -104.0f, splat(-104.0f), x);
    // Adding and subtracting 1.5 · 2²³ rounds to the nearest integer.
    vector whole = x * 1.44269504f + 12582912.0f;
    whole -= 12582912.0f;
    vector r = x - whole * 0.693359375f;
    r = r - whole * -2.12194440e-4f;
    vector p = splat(1.395083033e-03f);
    p = p * r + 8.369088173e-03f;
    p = p * r + 4.166620225e-02f;
    p = p * r + 1.666651666e-01f;
    p = p * r + 5.0e-01f;
    p = p * (r * r) + r + 1.0f;
    // 2ⁿ in two factors, as n may be one more than an exponent can hold. p keeps NaN.
    mask n = __builtin_convertvector(choose(whole == whole, whole, splat(0)), mask);
    mask half = n >> 1;
    return p * (vector)((half + 127) << 23) * (vector)((n - half + 127) << 23);
}

/// ln x, within 2 units.
INLINE vector logarithm(vector x) {
    mask tiny = x < 1.17549435e-38f;
    vector scaled = choose(tiny, x * 8388608.0f, x);
    mask bits = (mask)scaled;
    // The mantissa in [√½, √2) and the exponent that goes with it.
    mask shifted = bits - 0x3f3504f3;
    vector e = __builtin_convertvector(shifted >> 23, vector) - choose(tiny, splat(23.0f), splat(0.0f));
    vector f = (vector)((shifted & 0x007fffff) + 0x3f3504f3) - 1.0f;
    vector p = splat(6.925775111e-02f);
    p = p * f + -1.180785447e-01f;
    p = p * f + 1.187795401e-01f;
    p = p * f + -1.238180920e-01f;
    p = p * f + 1.421771049e-01f;
    p = p * f + -1.666935682e-01f;
    p = p * f + 2.000227273e-01f;
    p = p * f + -2.499998510e-01f;
    p = p * f + 3.333331048e-01f;
    vector square = f * f;
    vector result = p * f * square + e * -2.12194440e-4f;
    result = result - 0.5f * square + f;
    result = result + e * 0.693359375f;
    vector infinity = splat(__builtin_inff());
    result = choose(x == 0.0f, -infinity, result);
    result = choose((x < 0.0f) | (x != x), splat(__builtin_nanf("")), result);
    return choose(x == infinity, infinity, result);
}

/// eˣ − 1, within 3 units.
INLINE vector exponential_minus_one(vector x) {
    vector p = splat(2.497024616e-05f);
    p = p * x + 1.997402142e-04f;
    p = p * x + 1.388854347e-03f;
    p = p * x + 8.333140984e-03f;
    p = p * x + 4.166666791e-02f;
    p = p * x + 1.666666716e-01f;
    p = p * x + 0.5f;
    vector near = p * (x * x) + x;
    return choose(absolute(x) < 0.5f, near, exponential(x) - 1.0f);
}

/// ln(1 + x), within 3 units: the logarithm of the rounded sum, corrected for its rounding error.
INLINE vector logarithm_one_plus(vector x) {
    vector sum = x + 1.0f;
    vector lost = (x - (sum - 1.0f)) / sum;
    vector result = logarithm(sum);
    return result + choose((sum > 0.0f) & (sum < __builtin_inff()), lost, splat(0.0f));
}

/// 1 / (1 + e⁻ˣ), within 4 units on both sides.
INLINE vector sigmoid(vector x) {
    vector e = exponential(-absolute(x));
    vector positive = 1.0f / (1.0f + e);
    return choose(x < 0.0f, e * positive, positive);
}

/// tanh x, within 3 units.
INLINE vector hyperbolic_tangent(vector x) {
    vector square = x * x;
    vector p = splat(2.231057500e-03f);
    p = p * square + -8.267083205e-03f;
    p = p * square + 2.173443697e-02f;
    p = p * square + -5.395247415e-02f;
    p = p * square + 1.333324760e-01f;
    p = p * square + -3.333333135e-01f;
    vector near = p * square * x + x;
    vector far = 1.0f - 2.0f / (exponential(2.0f * absolute(x)) + 1.0f);
    return choose(absolute(x) < 0.6f, near, with_sign_of(far, x));
}

/// The error function, within 3 units: a polynomial near zero, 1 − e^(−polynomial) beyond.
INLINE vector error_function(vector x) {
    vector square = x * x;
    vector p = splat(8.215419803e-05f);
    p = p * square + -8.105963934e-04f;
    p = p * square + 5.197796971e-03f;
    p = p * square + -2.685810439e-02f;
    p = p * square + 1.128367260e-01f;
    p = p * square + -3.761263192e-01f;
    p = p * square + 1.283791661e-01f;
    vector near = p * x + x;
    vector t = absolute(x);
    t = choose(t > 4.0f, splat(4.0f), t) - 0.9f;
    vector q = splat(2.090967610e-05f);
    q = q * t + -3.005733597e-04f;
    q = q * t + 2.181763295e-03f;
    q = q * t + -1.108810026e-02f;
    q = q * t + 4.578467831e-02f;
    q = q * t + 8.300158381e-01f;
    q = q * t + 2.471634150e+00f;
    q = q * t + 1.594097257e+00f;
    vector far = 1.0f - exponential(-q);
    return choose(absolute(x) < 0.92f, near, with_sign_of(far, x));
}

/// aᵇ by the C library, which is exact to a unit for every pair.
INLINE vector power(vector a, vector b) {
    float left[VECTOR], right[VECTOR];
    store(left, a);
    store(right, b);
    for (int i = 0; i < VECTOR; i++) left[i] = powf(left[i], right[i]);
    return load(left);
}
