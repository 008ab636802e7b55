// The interpreter of elementwise programs: each instruction runs over a block that stays in the first-level cache.

#define UNARY(expression)                                                                                              \
    for (int64_t i = 0; i < count; i += VECTOR) {                                                                      \
        vector x = load(a + i);                                                                                        \
        store(target + i, expression);                                                                                 \
    }                                                                                                                  \
    return

#define BINARY(expression)                                                                                             \
    for (int64_t i = 0; i < count; i += VECTOR) {                                                                      \
        vector x = load(a + i), y = load(b + i);                                                                       \
        store(target + i, expression);                                                                                 \
    }                                                                                                                  \
    return

#define TRUTH(condition) choose(condition, splat(1.0f), splat(0.0f))

/// Runs one instruction over `count` elements, a multiple of the vector's length.
static void run_instruction(int operation, float *target, const float *a, const float *b, const float *c,
                            int64_t count) {
    switch (operation) {
    case graft_copy: UNARY(x);
    case graft_negate: UNARY(-x);
    case graft_absolute: UNARY(absolute(x));
    case graft_sign: UNARY(choose(x != x, x, TRUTH(x > 0.0f) - TRUTH(x < 0.0f)));
    case graft_square: UNARY(x * x);
    case graft_square_root: UNARY(square_root(x));
    case graft_reciprocal_square_root: UNARY(1.0f / square_root(x));
    case graft_exponential: UNARY(exponential(x));
    case graft_exponential_minus_one: UNARY(exponential_minus_one(x));
    case graft_logarithm: UNARY(logarithm(x));
    case graft_logarithm_one_plus: UNARY(logarithm_one_plus(x));
    case graft_relu: UNARY(choose(x < 0.0f, splat(0.0f), x));
    case graft_sigmoid: UNARY(sigmoid(x));
    case graft_tanh: UNARY(hyperbolic_tangent(x));
    case graft_error_function: UNARY(error_function(x));
    case graft_add: BINARY(x + y);
    case graft_subtract: BINARY(x - y);
    case graft_multiply: BINARY(x * y);
    case graft_divide: BINARY(x / y);
    case graft_maximum: BINARY(larger(x, y));
    case graft_minimum: BINARY(smaller(x, y));
    case graft_power: BINARY(power(x, y));
    case graft_greater: BINARY(TRUTH(x > y));
    case graft_greater_or_equal: BINARY(TRUTH(x >= y));
    case graft_equal: BINARY(TRUTH(x == y));
    case graft_select:
        for (int64_t i = 0; i < count; i += VECTOR)
            store(target + i, choose(load(a + i) != 0.0f, load(b + i), load(c + i)));
        return;
    }
}

/// Gathers the operand's elements for the result's positions begin ..< begin + count.
static void gather(const graft_operand *operand, const float *data, int64_t begin, int64_t count, float *target) {
    int last = operand->rank - 1;
    int64_t position[graft_maximum_rank], rest = begin, offset = 0;
    for (int axis = last; axis >= 0; axis--) {
        position[axis] = rest % operand->sizes[axis];
        rest /= operand->sizes[axis];
        offset += position[axis] * operand->strides[axis];
    }
    for (int64_t done = 0; done < count;) {
        int64_t run = operand->sizes[last] - position[last];
        if (run > count - done) run = count - done;
        const float *source = data + offset;
        if (operand->is_bfloat16) {
            const uint16_t *halves = (const uint16_t *)data + offset;
            if (operand->strides[last] == 1) {
                convert_to_float32(halves, target + done, run);
            } else {
                float value = scalar_to_float32(*halves);
                for (int64_t i = 0; i < run; i++) target[done + i] = value;
            }
        } else if (operand->strides[last] == 1) {
            __builtin_memcpy(target + done, source, (size_t)run * sizeof(float));
        } else {
            float value = *source;
            for (int64_t i = 0; i < run; i++) target[done + i] = value;
        }
        done += run;
        position[last] += run;
        offset += run * operand->strides[last];
        for (int axis = last; axis > 0 && position[axis] == operand->sizes[axis]; axis--) {
            position[axis] = 0;
            offset -= operand->sizes[axis] * operand->strides[axis];
            position[axis - 1]++;
            offset += operand->strides[axis - 1];
        }
    }
}

/// Points the operands' slots at the elements begin ..< begin + count; those that are not contiguous are copied.
static void load_operands(const graft_program *program, const float *const *operands, int64_t begin, int64_t count,
                          bool whole, float *blocks, float **slots) {
    for (int i = 0; i < program->operand_count; i++) {
        const graft_operand *operand = &program->operands[i];
        float *block = blocks + (int64_t)operand->slot * graft_block;
        if (operand->layout == graft_full) {
            if (operand->is_bfloat16) {
                slots[operand->slot] = block;
                convert_to_float32((const uint16_t *)operands[i] + begin, block, count);
            } else if (whole) {
                slots[operand->slot] = (float *)operands[i] + begin;
            } else {
                slots[operand->slot] = block;
                __builtin_memcpy(block, operands[i] + begin, (size_t)count * sizeof(float));
            }
        } else if (operand->layout == graft_general) {
            gather(operand, operands[i], begin, count, block);
        }
    }
}

/// Whether an output can be written while the block is computed: its memory is not read any more.
static bool writes_directly(const graft_program *program, const float *const *operands, const float *target,
                            int writer) {
    for (int i = 0; i < program->operand_count; i++)
        if (operands[i] == target && program->operands[i].last_read > writer) return false;
    return true;
}

/// The slots of a program in scratch memory: a block for each, then a pointer for each.
typedef struct {
    float *blocks;
    float **slots;
} slot_memory;

/// Fills the slots that are the same for all blocks.
static slot_memory prepare_slots(const graft_program *program, const float *const *operands, void *scratch) {
    float *blocks = scratch;
    slot_memory memory = {blocks, (float **)(blocks + (int64_t)program->slot_count * graft_block)};
    for (int slot = 0; slot < program->slot_count; slot++) memory.slots[slot] = blocks + (int64_t)slot * graft_block;
    for (int i = 0; i < program->constant_count; i++) {
        float *target = memory.slots[program->constants[i].slot];
        for (int j = 0; j < graft_block; j++) target[j] = program->constants[i].value;
    }
    for (int i = 0; i < program->operand_count; i++) {
        if (program->operands[i].layout != graft_scalar) continue;
        float *target = memory.slots[program->operands[i].slot];
        float value =
            program->operands[i].is_bfloat16 ? scalar_to_float32(*(const uint16_t *)operands[i]) : *operands[i];
        for (int j = 0; j < graft_block; j++) target[j] = value;
    }
    return memory;
}

/// Runs the program over the elements begin ..< begin + count, at most a block.
static void run_block(const graft_program *program, const graft_arguments *arguments, int64_t begin, int64_t count,
                      slot_memory memory) {
    const float *const *operands = arguments->operands;
    float *const *outputs = arguments->outputs;
    bool whole = count % VECTOR == 0;
    int64_t rounded = (count + VECTOR - 1) / VECTOR * VECTOR;
    float **slots = memory.slots;
    load_operands(program, operands, begin, count, whole, memory.blocks, slots);
    for (int i = 0; i < program->output_count; i++) {
        const graft_output *output = &program->outputs[i];
        bool direct = whole && !output->is_bfloat16 && writes_directly(program, operands, outputs[i], output->writer);
        slots[output->slot] = direct ? outputs[i] + begin : memory.blocks + (int64_t)output->slot * graft_block;
    }
    for (int i = 0; i < program->instruction_count; i++) {
        const graft_instruction *step = &program->instructions[i];
        run_instruction(step->operation, slots[step->destination], slots[step->a], slots[step->b], slots[step->c],
                        rounded);
    }
    for (int i = 0; i < program->output_count; i++) {
        float *computed = slots[program->outputs[i].slot];
        if (program->outputs[i].is_stochastic)
            convert_stochastic(computed, (uint16_t *)outputs[i], begin, count, arguments->roundings[i]);
        else if (program->outputs[i].is_bfloat16)
            convert_to_bfloat16(computed, (uint16_t *)outputs[i] + begin, count);
        else if (computed != outputs[i] + begin)
            __builtin_memcpy(outputs[i] + begin, computed, (size_t)count * sizeof(float));
    }
}

static void program_range(const graft_program *program, const graft_arguments *arguments, int64_t begin, int64_t end,
                          void *scratch) {
    slot_memory memory = prepare_slots(program, arguments->operands, scratch);
    for (; begin < end; begin += graft_block)
        run_block(program, arguments, begin, end - begin < graft_block ? end - begin : graft_block, memory);
}

#undef UNARY
#undef BINARY
#undef TRUTH
