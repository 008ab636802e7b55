// Matches programs with the fused optimizer kernels.
#include "table.h"

typedef struct {
    int array_count, scalar_count, result_count, step_count;
    const graft_instruction *steps;
    /// The value of each result.
    const int *results;
} optimizer;

// Values are numbered: arrays, then scalars, then steps.
#define ONE(value, operation, a) {graft_##operation, value, a, a, a},
#define TWO(value, operation, a, b) {graft_##operation, value, a, b, a},
#define RESULT(index, value) [index] = value,
#define OPTIMIZER(name, array_count, scalar_count, result_count, leaves, steps, outputs, zero)                         \
    static const graft_instruction steps_of_##name[] = {steps};                                                        \
    static const int results_of_##name[] = {outputs};
#include "optimizers.h"
#undef OPTIMIZER

static const optimizer optimizers[] = {
#define OPTIMIZER(name, array_count, scalar_count, result_count, leaves, steps, outputs, zero)                         \
    {array_count, scalar_count, result_count, sizeof steps_of_##name / sizeof(graft_instruction), steps_of_##name,     \
     results_of_##name},
#include "optimizers.h"
#undef OPTIMIZER
};

static const char *const names[] = {
#define OPTIMIZER(name, array_count, scalar_count, result_count, leaves, steps, outputs, zero) #name,
#include "optimizers.h"
#undef OPTIMIZER
};

static const graft_zero_gradient on_zero_gradient[] = {
#define UPDATES {.keeps_weight = false, .state = -1, .decay = -1, .epsilon = -1},
#define NO_OP(small) {.keeps_weight = true, .state = -1, .decay = -1, .epsilon = small},
#define DECAYS_STATE(array, scalar, small) {.keeps_weight = true, .state = array, .decay = scalar, .epsilon = small},
#define OPTIMIZER(name, array_count, scalar_count, result_count, leaves, steps, outputs, zero) zero
#include "optimizers.h"
#undef OPTIMIZER
};

enum { optimizer_count = sizeof optimizers / sizeof *optimizers, most_slots = 64 };
enum { most_leaves = graft_optimizer_arrays + graft_optimizer_scalars };

/// What is known while a program is compared: which step wrote each slot last (−1 for none), and the slot of each leaf.
typedef struct {
    int written[most_slots], leaf[most_leaves];
} comparison;

/// Whether an instruction reads what an optimizer's step reads.
static bool reads(comparison *known, const optimizer *optimizer, int value, int slot) {
    int leaves = optimizer->array_count + optimizer->scalar_count;
    if (value >= leaves) return known->written[slot] == value - leaves;
    if (known->written[slot] >= 0) return false;
    if (known->leaf[value] < 0) known->leaf[value] = slot;
    return known->leaf[value] == slot;
}

static bool has_steps(const optimizer *optimizer, const graft_program *program, comparison *known) {
    if (program->instruction_count != optimizer->step_count) return false;
    if (program->output_count != optimizer->result_count) return false;
    for (int i = 0; i < most_slots; i++) known->written[i] = -1;
    for (int i = 0; i < most_leaves; i++) known->leaf[i] = -1;
    for (int i = 0; i < optimizer->step_count; i++) {
        const graft_instruction *ours = &optimizer->steps[i], *theirs = &program->instructions[i];
        if (ours->operation != theirs->operation || !reads(known, optimizer, ours->a, theirs->a)) return false;
        if (ours->b != ours->a && !reads(known, optimizer, ours->b, theirs->b)) return false;
        if (ours->b == ours->a && theirs->b != theirs->a) return false;
        known->written[theirs->destination] = i;
    }
    return true;
}

static bool find_arrays(const optimizer *optimizer, const graft_program *program, const comparison *known,
                        graft_optimizer_match *match) {
    for (int i = 0; i < optimizer->array_count; i++) {
        int slot = known->leaf[i];
        match->arrays[i] = -1;
        for (int j = 0; j < program->operand_count; j++)
            if (program->operands[j].slot == slot && program->operands[j].layout == graft_full) match->arrays[i] = j;
        if (match->arrays[i] < 0) return false;
    }
    return true;
}

static bool find_scalars(const optimizer *optimizer, const graft_program *program, const comparison *known,
                         graft_optimizer_match *match) {
    for (int i = 0; i < optimizer->scalar_count; i++) {
        int slot = known->leaf[optimizer->array_count + i];
        bool found = false;
        match->scalars[i] = -1;
        for (int j = 0; j < program->operand_count; j++) {
            if (program->operands[j].slot != slot || program->operands[j].layout != graft_scalar) continue;
            match->scalars[i] = j;
            found = true;
        }
        for (int j = 0; j < program->constant_count; j++) {
            if (program->constants[j].slot != slot) continue;
            match->constants[i] = program->constants[j].value;
            found = true;
        }
        if (!found) return false;
    }
    return true;
}

static bool find_results(const optimizer *optimizer, const graft_program *program, graft_optimizer_match *match) {
    int leaves = optimizer->array_count + optimizer->scalar_count;
    for (int i = 0; i < optimizer->result_count; i++) {
        match->results[i] = -1;
        for (int j = 0; j < program->output_count; j++)
            if (program->outputs[j].writer == optimizer->results[i] - leaves) match->results[i] = j;
        if (match->results[i] < 0) return false;
    }
    return true;
}

/// Whether all operands and outputs are of the types that the kernels are compiled for: float32, and bfloat16 for the state if
/// all of it is bfloat16 and rounded stochastically.
static bool has_types(const optimizer *optimizer, const graft_program *program, graft_optimizer_match *match) {
    int state = optimizer->array_count - 2;
    match->has_bfloat16_state = state > 0 && program->operands[match->arrays[1]].is_bfloat16;
    for (int i = 0; i < optimizer->array_count; i++) {
        bool is_state = i > 0 && i <= state;
        if (program->operands[match->arrays[i]].is_bfloat16 != (is_state && match->has_bfloat16_state)) return false;
    }
    for (int i = 0; i < optimizer->scalar_count; i++)
        if (match->scalars[i] >= 0 && program->operands[match->scalars[i]].is_bfloat16) return false;
    for (int i = 0; i < optimizer->result_count; i++) {
        const graft_output *output = &program->outputs[match->results[i]];
        int is_bfloat16 = i < state && match->has_bfloat16_state;
        if (output->is_bfloat16 != is_bfloat16 || output->is_stochastic != is_bfloat16) return false;
    }
    return true;
}

void graft_match_optimizer(graft_program *program) {
    graft_optimizer_match *match = &program->optimizer;
    match->kernel = -1;
    if (program->slot_count > most_slots) return;
    for (int i = 0; i < optimizer_count; i++) {
        comparison known;
        if (!has_steps(&optimizers[i], program, &known) || !find_arrays(&optimizers[i], program, &known, match) ||
            !find_scalars(&optimizers[i], program, &known, match) || !find_results(&optimizers[i], program, match) ||
            !has_types(&optimizers[i], program, match))
            continue;
        match->kernel = i;
        return;
    }
}

graft_zero_gradient graft_on_zero_gradient(const graft_program *program) {
    // This holds for bfloat16 arrays as well: rounding leaves a bfloat16 value as it is.
    return on_zero_gradient[program->optimizer.kernel];
}

const char *graft_optimizer_name(const graft_program *program) {
    return program->optimizer.kernel < 0 ? NULL : names[program->optimizer.kernel];
}

graft_optimizer_call graft_make_optimizer_call(const graft_program *program, const graft_arguments *arguments) {
    const graft_optimizer_match *match = &program->optimizer;
    const optimizer *optimizer = &optimizers[match->kernel];
    graft_optimizer_call call = {0};
    for (int i = 0; i < optimizer->array_count; i++) call.arrays[i] = arguments->operands[match->arrays[i]];
    for (int i = 0; i < optimizer->scalar_count; i++)
        call.scalars[i] = match->scalars[i] < 0 ? match->constants[i] : *arguments->operands[match->scalars[i]];
    for (int i = 0; i < optimizer->result_count; i++) {
        call.results[i] = arguments->outputs[match->results[i]];
        if (match->has_bfloat16_state) call.roundings[i] = arguments->roundings[match->results[i]];
    }
    return call;
}
