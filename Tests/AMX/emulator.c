// AMX in software, for processors that have AVX512_BF16 and no AMX: a library for LD_PRELOAD under which a program finds
// AMX in `cpuid` and its tile instructions work, so that what oneDNN does on AMX can be run, and checked, elsewhere.
//
// `cpuid` is made to fault (Linux, Intel's processors) and answered here; a tile instruction faults by itself, as the
// processor does not know it, and is carried out here on tiles kept for each thread. Some hundred times slower than AMX.
// Sums are rounded as by AVX512_BF16's instruction, so results may differ from AMX's in the last bits.
//
//   clang -O2 -mavx512bf16 -mavx512bw -fPIC -shared -Wl,-z,initfirst emulator.c -o libamx.so
//   LD_PRELOAD=./libamx.so program
//
// Encodings and semantics: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, TDPBF16PS and others.
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <immintrin.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

// MARK: System calls

static long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void let_cpuid_fault(bool faults) { raw_syscall(SYS_arch_prctl, ARCH_SET_CPUID, !faults, 0, 0, 0, 0); }

enum { ask_supported = 0x1021, ask_permitted = 0x1022, request_permission = 0x1023 };
static const unsigned long tile_state = 3ul << 17;

/// Programs ask the kernel for AMX by the C library's `syscall`.
long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long a[6];
    for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_arch_prctl && a[0] == request_permission) return 0;
    long result = raw_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (number == SYS_arch_prctl && (a[0] == ask_supported || a[0] == ask_permitted) && result == 0)
        *(unsigned long *)a[1] |= tile_state;
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

// MARK: What the processor says of itself

enum { amx_bfloat16 = 1 << 22, amx_tile = 1 << 24, amx_int8 = 1 << 25, last_leaf = 0x1e };

/// Carries `cpuid` out and adds AMX to its answer: one palette of eight tiles of 16 rows of 64 bytes.
static void answer_cpuid(greg_t *registers) {
    unsigned leaf = (unsigned)registers[REG_RAX], part = (unsigned)registers[REG_RCX];
    unsigned a, b, c, d;
    let_cpuid_fault(false);
    __cpuid_count(leaf, part, a, b, c, d);
    let_cpuid_fault(true);
    if (leaf == 0 && a < last_leaf) a = last_leaf;
    if (leaf == 7 && part == 0) d |= amx_bfloat16 | amx_tile | amx_int8;
    if (leaf == 0x1d && part == 0) a = 1, b = c = d = 0;
    if (leaf == 0x1d && part == 1) a = 8192 | 1024 << 16, b = 64 | 8 << 16, c = 16, d = 0;
    if (leaf == 0x1e && part == 0) a = 0, b = 16 | 64 << 8, c = d = 0;
    registers[REG_RAX] = a, registers[REG_RBX] = b, registers[REG_RCX] = c, registers[REG_RDX] = d;
}

// MARK: Tiles

enum { tile_count = 8, row_count = 16, row_size = 64 };

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} configuration;

static _Thread_local configuration config;
static _Thread_local uint8_t tiles[tile_count][row_count][row_size] __attribute__((aligned(64)));

static void load_configuration(const configuration *source) {
    memcpy(&config, source, sizeof config);
    memset(tiles, 0, sizeof tiles);
}

static void load_tile(int tile, const uint8_t *source, int64_t stride) {
    memset(tiles[tile], 0, sizeof tiles[tile]);
    for (int row = 0; row < config.rows[tile]; row++)
        memcpy(tiles[tile][row], source + row * stride, config.row_bytes[tile]);
}

static void store_tile(int tile, uint8_t *target, int64_t stride) {
    for (int row = 0; row < config.rows[tile]; row++)
        memcpy(target + row * stride, tiles[tile][row], config.row_bytes[tile]);
}

static __mmask16 lanes(int tile) { return (__mmask16)((1u << config.row_bytes[tile] / 4) - 1); }

/// What lies behind the columns of a tile stays zero.
static void multiply_bfloat16(int target, int left, int right) {
    int inner = config.row_bytes[left] / 4;
    for (int row = 0; row < config.rows[target]; row++) {
        __m512 sums = _mm512_load_ps(tiles[target][row]);
        for (int k = 0; k < inner; k++) {
            __m512i pair = _mm512_set1_epi32(((const int32_t *)tiles[left][row])[k]);
            sums = _mm512_dpbf16_ps(sums, (__m512bh)pair, (__m512bh)_mm512_load_si512(tiles[right][k]));
        }
        _mm512_store_ps(tiles[target][row], _mm512_maskz_mov_ps(lanes(target), sums));
    }
}

// MARK: Instructions

/// A VEX instruction of map 0F38, as far as tiles need it.
typedef struct {
    int prefix, opcode, reg, rm, vvvv, length;
    bool is_memory;
    /// Of the first row, and from row to row.
    uint8_t *address;
    int64_t stride;
} instruction;

enum { no_prefix, prefix_66, prefix_f3, prefix_f2 };

static int64_t register_value(const greg_t *registers, int number) {
    static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return registers[order[number]];
}

/// Reads a memory operand behind the ModRM byte; `code` is at the byte behind it.
static const uint8_t *read_address(instruction *i, const uint8_t *code, int mode, int x, int b, const greg_t *registers) {
    int64_t base = 0, displacement = 0;
    int base_number = i->rm | b;
    bool has_base = true;
    if (i->rm == 4) {
        uint8_t sib = *code++;
        int index = (sib >> 3 & 7) | x;
        base_number = (sib & 7) | b;
        if (index != 4) i->stride = register_value(registers, index) * (1 << (sib >> 6));
        has_base = !((sib & 7) == 5 && mode == 0);
    }
    if (has_base) base = register_value(registers, base_number);
    if (mode == 1) displacement = (int8_t)*code++;
    if (mode == 2 || !has_base) {
        int32_t wide;
        memcpy(&wide, code, sizeof wide);
        displacement = wide;
        code += sizeof wide;
    }
    i->address = (uint8_t *)(base + displacement);
    return code;
}

static bool decode(const uint8_t *code, const greg_t *registers, instruction *i) {
    const uint8_t *start = code;
    memset(i, 0, sizeof *i);
    if (code[0] != 0xc4 || (code[1] & 0x1f) != 2 || (code[2] & 0x84) != 0) return false;
    int r = code[1] & 0x80 ? 0 : 8, x = code[1] & 0x40 ? 0 : 8, b = code[1] & 0x20 ? 0 : 8;
    i->vvvv = ~(code[2] >> 3) & 15;
    i->prefix = code[2] & 3;
    i->opcode = code[3];
    int mode = code[4] >> 6;
    i->reg = (code[4] >> 3 & 7) | r;
    i->rm = code[4] & 7;
    i->is_memory = mode != 3;
    code += 5;
    // An address that is relative to the instruction has no row stride: nobody uses it for tiles.
    if (i->is_memory && mode == 0 && i->rm == 5) return false;
    if (i->is_memory) code = read_address(i, code, mode, x, b, registers);
    i->length = (int)(code - start);
    return i->reg < tile_count;
}

static bool run_configuration(const instruction *i) {
    if (i->is_memory && i->prefix == no_prefix)
        load_configuration((const configuration *)i->address);
    else if (i->is_memory && i->prefix == prefix_66)
        memcpy(i->address, &config, sizeof config);
    else if (!i->is_memory && i->prefix == no_prefix)
        load_configuration(&(configuration){0});
    else if (!i->is_memory && i->prefix == prefix_f2)
        memset(tiles[i->reg], 0, sizeof tiles[i->reg]);
    else
        return false;
    return true;
}

/// Carries one instruction out; answers `false` where it is none of AMX's for bfloat16.
static bool run(const instruction *i) {
    switch (i->opcode) {
    case 0x49: return run_configuration(i);
    case 0x4b:
        if (!i->is_memory) return false;
        if (i->prefix == prefix_f2 || i->prefix == prefix_66)
            load_tile(i->reg, i->address, i->stride);
        else if (i->prefix == prefix_f3)
            store_tile(i->reg, i->address, i->stride);
        return i->prefix != no_prefix;
    case 0x5c:
        if (i->is_memory || i->prefix != prefix_f3) return false;
        multiply_bfloat16(i->reg, i->rm, i->vvvv);
        return true;
    default: return false;
    }
}

// MARK: Faults

/// Lets the fault happen again, with what the system does by itself.
static void give_up(int signal) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
}

/// Tile instructions mostly stand side by side: all of them are carried out at one fault.
static void on_illegal_instruction(int signal, siginfo_t *info, void *context) {
    (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    instruction i;
    int count = 0;
    while (decode((const uint8_t *)registers[REG_RIP], registers, &i) && run(&i)) {
        registers[REG_RIP] += i.length;
        count++;
    }
    if (count == 0) give_up(signal);
}

static void on_bad_access(int signal, siginfo_t *info, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    static const uint8_t cpuid[] = {0x0f, 0xa2};
    // A general protection fault, which is what cpuid gives, has no address.
    if (info->si_code != SI_KERNEL || memcmp((const void *)registers[REG_RIP], cpuid, sizeof cpuid) != 0)
        return give_up(signal);
    answer_cpuid(registers);
    registers[REG_RIP] += sizeof cpuid;
}

__attribute__((constructor)) static void start(void) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};
    action.sa_sigaction = on_illegal_instruction;
    sigaction(SIGILL, &action, NULL);
    action.sa_sigaction = on_bad_access;
    sigaction(SIGSEGV, &action, NULL);
    static const char refused[] = "emulator: this system cannot let cpuid fault\n";
    if (raw_syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0, 0, 0, 0, 0) != 0) {
        (void)!write(2, refused, sizeof refused - 1);
        _exit(3);
    }
}
