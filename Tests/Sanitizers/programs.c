// Elementwise programs, interpreted and compiled ones.
#include "support.h"

// MARK: What an instruction does

static double apply(int operation, double a, double b, double c) {
    switch (operation) {
    case graft_copy: return a;
    case graft_negate: return -a;
    case graft_absolute: return fabs(a);
    case graft_sign: return a > 0 ? 1 : a < 0 ? -1 : 0;
    case graft_square: return a * a;
    case graft_square_root: return sqrt(a);
    case graft_reciprocal_square_root: return 1 / sqrt(a);
    case graft_exponential: return exp(a);
    case graft_exponential_minus_one: return expm1(a);
    case graft_logarithm: return log(a);
    case graft_logarithm_one_plus: return log1p(a);
    case graft_relu: return a > 0 ? a : 0;
    case graft_sigmoid: return 1 / (1 + exp(-a));
    case graft_tanh: return tanh(a);
    case graft_error_function: return erf(a);
    case graft_add: return a + b;
    case graft_subtract: return a - b;
    case graft_multiply: return a * b;
    case graft_divide: return a / b;
    case graft_maximum: return a > b ? a : b;
    case graft_minimum: return a < b ? a : b;
    case graft_power: return pow(a, b);
    case graft_greater: return a > b;
    case graft_greater_or_equal: return a >= b;
    case graft_equal: return a == b;
    default: return a != 0 ? b : c;
    }
}

static void find_last_reads(graft_program *program, graft_operand *operands) {
    for (int i = 0; i < program->operand_count; i++) {
        operands[i].last_read = -1;
        for (int j = 0; j < program->instruction_count; j++) {
            const graft_instruction *step = &program->instructions[j];
            if (step->a == operands[i].slot || step->b == operands[i].slot || step->c == operands[i].slot)
                operands[i].last_read = j;
        }
    }
}

// MARK: Interpreted programs

enum { most_operands = 4, most_steps = 8, most_slots = most_operands + 1 + 2 * most_steps };

/// Where an operand is read for element `i` of a result of `sizes`.
static int64_t position(const graft_operand *operand, int64_t i) {
    if (operand->layout == graft_full) return i;
    int64_t offset = 0;
    for (int axis = operand->rank - 1; operand->layout == graft_general && axis >= 0; axis--) {
        offset += i % operand->sizes[axis] * operand->strides[axis];
        i /= operand->sizes[axis];
    }
    return offset;
}

/// Makes an operand of a result of [sizes] and gives its number of elements: one that is repeated along random axes.
static int64_t make_operand(graft_operand *operand, int rank, const int64_t *sizes, int slot) {
    int64_t count = 1;
    *operand = (graft_operand){.slot = slot, .layout = (int)below(3), .is_bfloat16 = chance(30)};
    if (operand->layout == graft_scalar) return 1;
    operand->rank = operand->layout == graft_general ? rank : 0;
    for (int axis = rank - 1; axis >= 0; axis--) {
        bool is_repeated = operand->layout == graft_general && chance(50);
        operand->sizes[axis] = sizes[axis];
        operand->strides[axis] = is_repeated ? 0 : count;
        if (!is_repeated) count *= sizes[axis];
    }
    return count;
}

void check_programs(int threads) {
    int rank = (int)between(1, 4), operand_count = (int)between(1, most_operands), step_count = (int)between(1, most_steps);
    int64_t sizes[4], count = 1;
    for (int axis = 0; axis < rank; axis++) count *= sizes[axis] = between(1, axis == rank - 1 ? 700 : 7);
    graft_operand operands[most_operands];
    graft_instruction steps[most_steps];
    graft_constant constant = {.slot = operand_count, .value = 0.5f};
    const float *sources[most_operands];
    const float *plain[most_operands];
    for (int i = 0; i < operand_count; i++) {
        int64_t size = make_operand(&operands[i], rank, sizes, i);
        float *array = numbers(size, 0.25f, 2);
        sources[i] = plain[i] = array;
        if (!operands[i].is_bfloat16) continue;
        uint16_t *narrow = to_bfloat16(array, size);
        sources[i] = (const float *)narrow;
        plain[i] = to_float32(narrow, size);
    }
    // What keeps values between a quarter and two or so, or is not sensitive to them.
    static const int safe[] = {graft_copy, graft_absolute, graft_square_root, graft_reciprocal_square_root, graft_sigmoid,
                               graft_tanh, graft_error_function, graft_maximum, graft_minimum, graft_relu, graft_select,
                               graft_greater, graft_exponential, graft_logarithm_one_plus};
    for (int i = 0; i < step_count; i++) {
        int known = operand_count + 1 + i, operation = safe[below(sizeof safe / sizeof *safe)];
        // Roots and exponentials of what a chain made may leave their range.
        bool is_risky = operation == graft_reciprocal_square_root || operation == graft_exponential;
        steps[i] = (graft_instruction){operation, known, (int)below(is_risky ? operand_count : known), (int)below(known),
                                       (int)below(known)};
    }
    graft_output outputs[2] = {{.slot = operand_count + step_count, .writer = step_count - 1, .is_bfloat16 = chance(30)}};
    graft_program program = {.slot_count = operand_count + 1 + step_count, .instruction_count = step_count,
                             .constant_count = 1, .operand_count = operand_count, .output_count = 1,
                             .instructions = steps, .constants = &constant, .operands = operands, .outputs = outputs};
    find_last_reads(&program, operands);
    graft_match_optimizer(&program);
    float *expected = empty(count);
    for (int64_t i = 0; i < count; i++) {
        double slots[most_slots];
        for (int j = 0; j < operand_count; j++) slots[j] = plain[j][position(&operands[j], i)];
        slots[operand_count] = constant.value;
        for (int j = 0; j < step_count; j++)
            slots[steps[j].destination] = apply(steps[j].operation, slots[steps[j].a], slots[steps[j].b], slots[steps[j].c]);
        expected[i] = (float)slots[outputs[0].slot];
    }
    void *target = bytes((size_t)count * (outputs[0].is_bfloat16 ? 2 : 4));
    float *targets[] = {target};
    void *scratch = bytes(graft_program_scratch_size(&program, threads));
    graft_run_program(&program, &(graft_arguments){sources, targets, NULL}, count, scratch, threads);
    const float *actual = outputs[0].is_bfloat16 ? to_float32(target, count) : target;
    // Comparisons may differ by a rounding, but values are random and hardly ever equal.
    expect_close("a program", actual, expected, count, outputs[0].is_bfloat16 ? 0x1p-8 : 1e-5);
}

// MARK: Optimizers

#define ARRAY(value, index)
#define SCALAR(value, index)
#define ONE(value, operation, a) {graft_##operation, value, a, a, a},
#define TWO(value, operation, a, b) {graft_##operation, value, a, b, a},
#define RESULT(index, value) [index] = value,
#define UPDATES
#define NO_OP(small)
#define DECAYS_STATE(state, factor, small)
#define OPTIMIZER(name, arrays, scalars, results, leaves, steps, outputs, zero)                                             \
    static const graft_instruction steps_of_##name[] = {steps};                                                        \
    static const int results_of_##name[] = {outputs};
#include "../../Sources/CKernels/optimizers.h"
#undef OPTIMIZER

typedef struct {
    int arrays, scalars, results, steps;
    const graft_instruction *instructions;
    const int *values;
} optimizer_description;

static const optimizer_description descriptions[] = {
#define OPTIMIZER(name, arrays, scalars, results, leaves, steps, outputs, zero)                                             \
    {arrays, scalars, results, sizeof steps_of_##name / sizeof(graft_instruction), steps_of_##name, results_of_##name},
#include "../../Sources/CKernels/optimizers.h"
#undef OPTIMIZER
};

bool make_optimizer(int number, optimizer_program *optimizer) {
    if (number >= (int)(sizeof descriptions / sizeof *descriptions)) return false;
    const optimizer_description *d = &descriptions[number];
    int leaves = d->arrays + d->scalars;
    memset(optimizer, 0, sizeof *optimizer);
    memcpy(optimizer->instructions, d->instructions, (size_t)d->steps * sizeof *d->instructions);
    for (int i = 0; i < d->arrays; i++) optimizer->operands[i] = (graft_operand){.slot = i, .layout = graft_full};
    for (int i = 0; i < d->scalars; i++)
        optimizer->constants[i] = (graft_constant){.slot = d->arrays + i, .value = 0.125f * (float)(i + 1)};
    for (int i = 0; i < d->results; i++)
        optimizer->outputs[i] = (graft_output){.slot = d->values[i], .writer = d->values[i] - leaves};
    optimizer->array_count = d->arrays;
    optimizer->program = (graft_program){.slot_count = leaves + d->steps, .instruction_count = d->steps,
                                    .constant_count = d->scalars, .operand_count = d->arrays,
                                    .output_count = d->results, .instructions = optimizer->instructions,
                                    .constants = optimizer->constants, .operands = optimizer->operands, .outputs = optimizer->outputs};
    find_last_reads(&optimizer->program, optimizer->operands);
    graft_match_optimizer(&optimizer->program);
    if (optimizer->program.optimizer.kernel != number) {
        fprintf(stderr, "optimizer %d was taken for optimizer %d\n", number, optimizer->program.optimizer.kernel);
        exit(1);
    }
    return true;
}

void apply_optimizer(const optimizer_program *optimizer, const double *arrays, double *results) {
    double slots[64];
    for (int i = 0; i < optimizer->array_count; i++) slots[i] = arrays[i];
    for (int i = 0; i < optimizer->program.constant_count; i++) slots[optimizer->constants[i].slot] = optimizer->constants[i].value;
    for (int i = 0; i < optimizer->program.instruction_count; i++) {
        const graft_instruction *step = &optimizer->instructions[i];
        slots[step->destination] = apply(step->operation, slots[step->a], slots[step->b], slots[step->c]);
    }
    for (int i = 0; i < optimizer->program.output_count; i++) results[i] = slots[optimizer->outputs[i].slot];
}

void check_optimizers(int threads) {
    optimizer_program optimizer;
    int64_t count = between(1, 5000);
    for (int number = 0; make_optimizer(number, &optimizer); number++) {
        const float *sources[8];
        float *targets[4], *expected[4];
        for (int i = 0; i < optimizer.array_count; i++) sources[i] = numbers(count, 0.25f, 2);
        for (int i = 0; i < optimizer.program.output_count; i++) targets[i] = empty(count), expected[i] = empty(count);
        for (int64_t i = 0; i < count; i++) {
            double arrays[8], results[4];
            for (int j = 0; j < optimizer.array_count; j++) arrays[j] = sources[j][i];
            apply_optimizer(&optimizer, arrays, results);
            for (int j = 0; j < optimizer.program.output_count; j++) expected[j][i] = (float)results[j];
        }
        void *scratch = bytes(graft_program_scratch_size(&optimizer.program, threads));
        graft_run_program(&optimizer.program, &(graft_arguments){sources, targets, NULL}, count, scratch, threads);
        for (int i = 0; i < optimizer.program.output_count; i++)
            expect_close(graft_optimizer_name(&optimizer.program), targets[i], expected[i], count, 1e-5);
        release_all();
    }
}
