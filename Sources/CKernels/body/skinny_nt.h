// Skinny GEMM with a transposed matrix, the input's gradient of a dense layer: the matrix is read once, row by row, in place.
// Every result is a dot product of two rows.

/// The register tile: rows of the matrix and rows of `left`, twenty-five sums.
enum { matrix_rows_at_once = 5, left_rows_at_once = 5 };

typedef float half_vector __attribute__((ext_vector_type(8)));
typedef float quarter_vector __attribute__((ext_vector_type(4)));

/// The sum of all lanes, pair by pair.
INLINE float total_of(vector v) {
    half_vector half = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                       __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    quarter_vector quarter =
        __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
    return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

/// The results of `left_rows` rows with `matrix_rows` rows of the matrix. The rows `fetched` ..< `fetched_end` after these are
/// prefetched: each may be on another page, where the hardware prefetcher stops.
INLINE void nt_cell(const graft_skinny_nt *p, int64_t left_row, int left_rows, int64_t column, int matrix_rows,
                     int64_t fetched, int64_t fetched_end) {
    vector sums[left_rows_at_once * matrix_rows_at_once], rows[matrix_rows_at_once];
    UNROLLED for (int i = 0; i < left_rows * matrix_rows; i++) sums[i] = splat(0);
    const float *left = p->left + left_row * p->inner, *right = p->right + column * p->inner;
    int64_t at = 0;
    for (; at + VECTOR <= p->inner; at += VECTOR) {
        UNROLLED for (int i = 0; i < matrix_rows; i++) rows[i] = load(right + i * p->inner + at);
        UNROLLED for (int j = 0; j < left_rows; j++) {
            vector factor = load(left + j * p->inner + at);
            UNROLLED for (int i = 0; i < matrix_rows; i++) sums[j * matrix_rows + i] += factor * rows[i];
        }
        for (int64_t i = fetched; i < fetched_end; i++)
            __builtin_prefetch(right + (matrix_rows + i) * p->inner + at, 0, 2);
    }
    if (at < p->inner) {
        UNROLLED for (int i = 0; i < matrix_rows; i++) rows[i] = load_some(right + i * p->inner + at, p->inner - at, 0);
        UNROLLED for (int j = 0; j < left_rows; j++) {
            vector factor = load_some(left + j * p->inner + at, p->inner - at, 0);
            UNROLLED for (int i = 0; i < matrix_rows; i++) sums[j * matrix_rows + i] += factor * rows[i];
        }
    }
    UNROLLED for (int j = 0; j < left_rows; j++) {
        float *target = p->target + (left_row + j) * p->columns + column;
        UNROLLED for (int i = 0; i < matrix_rows; i++) target[i] = total_of(sums[j * matrix_rows + i]);
    }
}

/// All rows of `left` with some of the matrix; each group of them prefetches its share of the next.
INLINE void multiply_matrix_rows(const graft_skinny_nt *p, int64_t column, int matrix_rows) {
    int64_t row = 0, groups = p->rows / left_rows_at_once;
    int64_t next = column + 2 * matrix_rows <= p->columns ? matrix_rows : 0;
    for (int64_t group = 0; group < groups; group++, row += left_rows_at_once)
        nt_cell(p, row, left_rows_at_once, column, matrix_rows, next * group / groups, next * (group + 1) / groups);
    for (; row < p->rows; row++) nt_cell(p, row, 1, column, matrix_rows, 0, 0);
}

/// Columns begin ..< end of the result, which are rows of the matrix.
static void skinny_nt(const graft_skinny_nt *p, int64_t begin, int64_t end) {
    for (; begin + matrix_rows_at_once <= end; begin += matrix_rows_at_once)
        multiply_matrix_rows(p, begin, matrix_rows_at_once);
    for (; begin < end; begin++) multiply_matrix_rows(p, begin, 1);
}
