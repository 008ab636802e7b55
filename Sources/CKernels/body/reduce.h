// Reductions and softmax. Sums are accumulated in double precision, so that their order hardly matters.

INLINE float finished(int reduction, double sum, double count) {
    return (float)(reduction == graft_reduce_mean ? sum / count : sum);
}

static float reduce_run(int reduction, const float *input, int64_t count) {
    int64_t i = 0;
    if (reduction == graft_reduce_maximum) {
        vector best = splat(-__builtin_inff());
        for (; i + VECTOR <= count; i += VECTOR) best = larger(load(input + i), best);
        if (i < count) best = larger(load_some(input + i, count - i, -__builtin_inff()), best);
        return largest_of(best);
    }
    wide sum = (wide)0.0;
    for (; i + VECTOR <= count; i += VECTOR) sum += __builtin_convertvector(load(input + i), wide);
    if (i < count) sum += __builtin_convertvector(load_some(input + i, count - i, 0), wide);
    return finished(reduction, sum_of(sum), (double)count);
}

static void reduce_rows(int reduction, const float *input, int64_t columns, int64_t begin, int64_t end,
                        float *output) {
    for (int64_t row = begin; row < end; row++) output[row] = reduce_run(reduction, input + row * columns, columns);
}

static void reduce_columns(int reduction, const float *input, int64_t rows, int64_t row_stride, int64_t begin,
                           int64_t end, double *output) {
    bool maximum = reduction == graft_reduce_maximum;
    for (; begin < end; begin += VECTOR) {
        int64_t count = end - begin < VECTOR ? end - begin : VECTOR;
        wide result = (wide)(maximum ? -__builtin_inf() : 0.0);
        vector best = splat(-__builtin_inff());
        const float *p = input + begin;
        for (int64_t row = 0; row < rows; row++, p += row_stride) {
            vector x = count == VECTOR ? load(p) : load_some(p, count, 0);
            if (maximum)
                best = larger(x, best);
            else
                result += __builtin_convertvector(x, wide);
        }
        if (maximum) result = __builtin_convertvector(best, wide);
        __builtin_memcpy(output + begin, &result, (size_t)count * sizeof(double));
    }
}

static void reduce_general(int reduction, const graft_reduction_axes *axes, const float *input, int64_t begin,
                           int64_t end, float *output) {
    int64_t count = 1;
    for (int axis = 0; axis < axes->reduced_rank; axis++) count *= axes->reduced_sizes[axis];
    for (int64_t index = begin; index < end; index++) {
        int64_t rest = index, base = 0;
        for (int axis = axes->kept_rank - 1; axis >= 0; axis--) {
            base += rest % axes->kept_sizes[axis] * axes->kept_strides[axis];
            rest /= axes->kept_sizes[axis];
        }
        double sum = 0;
        float best = -__builtin_inff();
        for (int64_t i = 0; i < count; i++) {
            int64_t left = i, offset = base;
            for (int axis = axes->reduced_rank - 1; axis >= 0; axis--) {
                offset += left % axes->reduced_sizes[axis] * axes->reduced_strides[axis];
                left /= axes->reduced_sizes[axis];
            }
            float x = input[offset];
            sum += x;
            if (x > best || x != x) best = x;
        }
        output[index] = reduction == graft_reduce_maximum ? best : finished(reduction, sum, (double)count);
    }
}

static void softmax_rows(bool logarithmic, const float *input, int64_t columns, int64_t begin, int64_t end,
                         float *output) {
    for (int64_t row = begin; row < end; row++) {
        const float *x = input + row * columns;
        float *y = output + row * columns;
        vector largest = splat(reduce_run(graft_reduce_maximum, x, columns));
        wide total = (wide)0.0;
        int64_t whole = columns / VECTOR * VECTOR;
        for (int64_t i = 0; i < whole; i += VECTOR) {
            vector e = exponential(load(x + i) - largest);
            total += __builtin_convertvector(e, wide);
            if (!logarithmic) store(y + i, e);
        }
        if (whole < columns) {
            vector e = exponential(load_some(x + whole, columns - whole, -__builtin_inff()) - largest);
            total += __builtin_convertvector(e, wide);
            if (!logarithmic) store_some(y + whole, e, columns - whole);
        }
        double sum = sum_of(total);
        if (logarithmic) {
            float shift = (float)((double)largest[0] + log(sum));
            for (int64_t i = 0; i < columns; i++) y[i] = x[i] - shift;
        } else {
            float scale = (float)(1.0 / sum);
            for (int64_t i = 0; i < columns; i++) y[i] *= scale;
        }
    }
}
