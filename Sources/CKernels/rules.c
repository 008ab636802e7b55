// Finds the rule that a program is.
#include "table.h"

typedef struct {
    int array_count, number_count, result_count, step_count;
    const graft_instruction *steps;
    /// The value of each result.
    const int *results;
} rule;

// Values are numbered: arrays, then numbers, then steps.
#define ONE(value, operation, a) {graft_##operation, value, a, a, a},
#define TWO(value, operation, a, b) {graft_##operation, value, a, b, a},
#define RESULT(index, value) [index] = value,
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs, rest)                                    \
    static const graft_instruction steps_of_##name[] = {steps};                                                        \
    static const int results_of_##name[] = {outputs};
#include "rules.h"
#undef RULE

static const rule rules[] = {
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs, rest)                                    \
    {array_count, number_count, result_count, sizeof steps_of_##name / sizeof(graft_instruction), steps_of_##name,     \
     results_of_##name},
#include "rules.h"
#undef RULE
};

static const char *const names[] = {
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs, rest) #name,
#include "rules.h"
#undef RULE
};

static const graft_rest rests[] = {
#define MOVES {.rests = false, .array = -1, .number = -1, .epsilon = -1},
#define STAYS(small) {.rests = true, .array = -1, .number = -1, .epsilon = small},
#define DECAYS(state, factor, small) {.rests = true, .array = state, .number = factor, .epsilon = small},
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs, rest) rest
#include "rules.h"
#undef RULE
};

enum { rule_count = sizeof rules / sizeof *rules, most_slots = 64, most_leaves = graft_rule_arrays + graft_rule_numbers };

/// What is known while a program is compared: which step wrote each slot last (−1 for none), and the slot of each leaf.
typedef struct {
    int written[most_slots], leaf[most_leaves];
} comparison;

/// Whether an instruction reads what a rule's step reads.
static bool reads(comparison *known, const rule *rule, int value, int slot) {
    int leaves = rule->array_count + rule->number_count;
    if (value >= leaves) return known->written[slot] == value - leaves;
    if (known->written[slot] >= 0) return false;
    if (known->leaf[value] < 0) known->leaf[value] = slot;
    return known->leaf[value] == slot;
}

static bool has_steps(const rule *rule, const graft_program *program, comparison *known) {
    if (program->instruction_count != rule->step_count || program->output_count != rule->result_count) return false;
    for (int i = 0; i < most_slots; i++) known->written[i] = -1;
    for (int i = 0; i < most_leaves; i++) known->leaf[i] = -1;
    for (int i = 0; i < rule->step_count; i++) {
        const graft_instruction *ours = &rule->steps[i], *theirs = &program->instructions[i];
        if (ours->operation != theirs->operation || !reads(known, rule, ours->a, theirs->a)) return false;
        if (ours->b != ours->a && !reads(known, rule, ours->b, theirs->b)) return false;
        if (ours->b == ours->a && theirs->b != theirs->a) return false;
        known->written[theirs->destination] = i;
    }
    return true;
}

static bool find_arrays(const rule *rule, const graft_program *program, const comparison *known,
                        graft_rule_match *match) {
    for (int i = 0; i < rule->array_count; i++) {
        int slot = known->leaf[i];
        match->arrays[i] = -1;
        for (int j = 0; j < program->operand_count; j++)
            if (program->operands[j].slot == slot && program->operands[j].layout == graft_full) match->arrays[i] = j;
        if (match->arrays[i] < 0) return false;
    }
    return true;
}

static bool find_numbers(const rule *rule, const graft_program *program, const comparison *known,
                         graft_rule_match *match) {
    for (int i = 0; i < rule->number_count; i++) {
        int slot = known->leaf[rule->array_count + i];
        bool found = false;
        match->numbers[i] = -1;
        for (int j = 0; j < program->operand_count; j++) {
            if (program->operands[j].slot != slot || program->operands[j].layout != graft_scalar) continue;
            match->numbers[i] = j;
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

static bool find_results(const rule *rule, const graft_program *program, graft_rule_match *match) {
    int leaves = rule->array_count + rule->number_count;
    for (int i = 0; i < rule->result_count; i++) {
        match->results[i] = -1;
        for (int j = 0; j < program->output_count; j++)
            if (program->outputs[j].writer == rule->results[i] - leaves) match->results[i] = j;
        if (match->results[i] < 0) return false;
    }
    return true;
}

/// Whether the operand or output of each leaf is of the type that a rule is compiled for: of 32 bits, but the state, the
/// arrays between the gradient and the weight, may be of bfloat16 where all of it is and is rounded by chance.
static bool has_types(const rule *rule, const graft_program *program, graft_rule_match *match) {
    int state = rule->array_count - 2;
    match->has_narrow_state = state > 0 && program->operands[match->arrays[1]].is_narrow;
    for (int i = 0; i < rule->array_count; i++) {
        bool is_state = i > 0 && i <= state;
        if (program->operands[match->arrays[i]].is_narrow != (is_state && match->has_narrow_state)) return false;
    }
    for (int i = 0; i < rule->number_count; i++)
        if (match->numbers[i] >= 0 && program->operands[match->numbers[i]].is_narrow) return false;
    for (int i = 0; i < rule->result_count; i++) {
        const graft_output *output = &program->outputs[match->results[i]];
        int is_narrow = i < state && match->has_narrow_state;
        if (output->is_narrow != is_narrow || output->is_stochastic != is_narrow) return false;
    }
    return true;
}

void graft_find_rule(graft_program *program) {
    graft_rule_match *match = &program->rule;
    match->rule = -1;
    if (program->slot_count > most_slots) return;
    for (int i = 0; i < rule_count; i++) {
        comparison known;
        if (!has_steps(&rules[i], program, &known) || !find_arrays(&rules[i], program, &known, match) ||
            !find_numbers(&rules[i], program, &known, match) || !find_results(&rules[i], program, match) ||
            !has_types(&rules[i], program, match))
            continue;
        match->rule = i;
        return;
    }
}

graft_rest graft_rest_of(const graft_program *program) {
    // Arrays of bfloat16 may rest as well: what stays is a number of its type, and rounded to itself.
    return rests[program->rule.rule];
}

const char *graft_rule_name(const graft_program *program) {
    return program->rule.rule < 0 ? NULL : names[program->rule.rule];
}

graft_rule_call graft_call_rule(const graft_program *program, const float *const *operands, float *const *outputs,
                                const graft_rounding *roundings) {
    const graft_rule_match *match = &program->rule;
    const rule *rule = &rules[match->rule];
    graft_rule_call call = {0};
    for (int i = 0; i < rule->array_count; i++) call.arrays[i] = operands[match->arrays[i]];
    for (int i = 0; i < rule->number_count; i++)
        call.numbers[i] = match->numbers[i] < 0 ? match->constants[i] : *operands[match->numbers[i]];
    for (int i = 0; i < rule->result_count; i++) {
        call.results[i] = outputs[match->results[i]];
        if (match->has_narrow_state) call.roundings[i] = roundings[match->results[i]];
    }
    return call;
}
