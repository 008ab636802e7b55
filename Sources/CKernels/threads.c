// Threads, memory and time. oneDNN brings an OpenMP runtime (libgomp, or libomp, which has the same entry points), and Graft's
// kernels run on that runtime's threads: threads of our own would share the cores with them. Its functions are looked up in the
// process, so that nothing is compiled or linked with OpenMP.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include "include/CKernels.h"
#if defined(__APPLE__)
#include <dispatch/dispatch.h>
#else
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#endif

typedef struct {
    void (*parallel)(void (*body)(void *), void *data, unsigned threads, unsigned flags);
    int (*thread_number)(void);
    int (*team_size)(void);
    void (*set_threads)(int);
    /// LLVM's: how many milliseconds a thread spins before it sleeps.
    void (*set_block_time)(int);
} openmp_runtime;

static openmp_runtime runtime;
static pthread_once_t runtime_once = PTHREAD_ONCE_INIT;

static void find_runtime(void) {
    openmp_runtime found;
    *(void **)&found.parallel = dlsym(RTLD_DEFAULT, "GOMP_parallel");
    *(void **)&found.thread_number = dlsym(RTLD_DEFAULT, "omp_get_thread_num");
    *(void **)&found.team_size = dlsym(RTLD_DEFAULT, "omp_get_num_threads");
    *(void **)&found.set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    *(void **)&found.set_block_time = dlsym(RTLD_DEFAULT, "kmp_set_blocktime");
    if (!found.thread_number || !found.team_size) found.parallel = NULL;
    runtime = found;
}

// MARK: Spin-wait
//
// At the end of a parallel region threads spin before they sleep: some 3 ms in libgomp, 200 ms in LLVM's runtime. That is best on
// an idle machine: it takes some 30 µs on a virtual machine to wake a sleeping thread, and a network has a hundred regions. Where
// other processes need the cores, a thread spins while the one it waits for cannot run, and everything becomes several times
// slower. LLVM's runtime has a function for this. libgomp reads its environment before `main` and has none, but it hardly spins
// while it is oversubscribed, with more threads than processors. So a team of sleeping threads oversubscribes it for as long as
// this process is preempted often.

static pthread_mutex_t team_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t team_released = PTHREAD_COND_INITIALIZER;
/// Whether there is a sleeping team, and its number.
static bool is_oversubscribed;
static uintptr_t current_team;

static void do_nothing(void *data) {}

static void *keep_sleeping_team(void *number) {
    runtime.parallel(do_nothing, NULL, (unsigned)graft_processor_count() + 2, 0);
    pthread_mutex_lock(&team_lock);
    while (is_oversubscribed && current_team == (uintptr_t)number) pthread_cond_wait(&team_released, &team_lock);
    pthread_mutex_unlock(&team_lock);
    return NULL;  // The team ends with its thread.
}

/// Starts the thread of a sleeping team. It takes no signals: they are for the program's own threads.
static bool start_team(uintptr_t number) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    bool is_started = pthread_create(&thread, NULL, keep_sleeping_team, (void *)number) == 0;
    if (is_started) pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

void graft_oversubscribe(bool on) {
    pthread_mutex_lock(&team_lock);
    if (on && !is_oversubscribed) is_oversubscribed = start_team(++current_team);
    if (!on && is_oversubscribed) {
        is_oversubscribed = false;
        pthread_cond_broadcast(&team_released);
    }
    pthread_mutex_unlock(&team_lock);
}

/// Whether spin-wait may be disabled at all.
static bool may_oversubscribe;

static void disable_spin_wait(void) {
    // Users who set these variables have chosen; and where there are many processors, one too few matters little.
    enum { many_processors = 64 };
    if (graft_processor_count() > many_processors) return;
    if (!runtime.parallel || runtime.set_block_time || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    may_oversubscribe = true;
    graft_oversubscribe(true);
}

#if defined(RUSAGE_THREAD)
/// The calling thread's involuntary context switches and processor time, and when they were read.
typedef struct {
    double time, used;
    long count;
} preemptions;

/// Lets threads spin while the calling one is rarely preempted, and sleep while it often is: it reads the kernel's counter eight
/// times a second. On an idle machine a thread is preempted some 30 times per second of processor time, on a busy one some 300
/// times.
static void watch_preemptions(void) {
    static _Thread_local preemptions last;
    const double interval = 0.125, few = 80, many = 160;
    double now = graft_seconds();
    if (now - last.time < interval) return;
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0) return;
    double used = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    preemptions before = last;
    last = (preemptions){now, used, usage.ru_nivcsw};
    double rate = (double)(last.count - before.count) / (used - before.used + 1e-3);
    if (before.time > 0 && (rate < few || rate > many)) graft_oversubscribe(rate > many);
}
#else
static void watch_preemptions(void) {}
#endif

static pthread_once_t spinning_once = PTHREAD_ONCE_INIT;

void graft_set_thread_count(int threads) {
    pthread_once(&runtime_once, find_runtime);
    if (threads < 1 || !runtime.set_threads) return;
    runtime.set_threads(threads);
    if (threads == 1) return;
    pthread_once(&spinning_once, disable_spin_wait);
    if (may_oversubscribe) watch_preemptions();
    if (runtime.set_block_time && !getenv("KMP_BLOCKTIME") && !getenv("OMP_WAIT_POLICY")) runtime.set_block_time(0);
}

// MARK: Regions

typedef struct {
    void (*body)(void *context, int part);
    void *context;
    int parts;
    atomic_int next;
} region;

/// A team may be smaller than asked for, so each member takes every n-th part.
static void run_member(void *data) {
    region *shared = data;
    int size = runtime.team_size();
    for (int part = runtime.thread_number(); part < shared->parts; part += size) shared->body(shared->context, part);
}

void graft_parallel(int parts, void (*body)(void *context, int part), void *context) {
    if (parts <= 1) {
        if (parts == 1) body(context, 0);
        return;
    }
    pthread_once(&runtime_once, find_runtime);
    if (!runtime.parallel) {
        graft_parallel_without_openmp(parts, body, context);
        return;
    }
    region shared = {.body = body, .context = context, .parts = parts};
    runtime.parallel(run_member, &shared, (unsigned)parts, 0);
}

#if defined(__APPLE__)

static void run_part(void *data, size_t part) {
    region *shared = data;
    shared->body(shared->context, (int)part);
}

void graft_parallel_without_openmp(int parts, void (*body)(void *context, int part), void *context) {
    region shared = {.body = body, .context = context, .parts = parts};
    dispatch_apply_f((size_t)parts, DISPATCH_APPLY_AUTO, &shared, run_part);
}

#else

static void *take_parts(void *data) {
    region *shared = data;
    for (int part; (part = atomic_fetch_add(&shared->next, 1)) < shared->parts;) shared->body(shared->context, part);
    return NULL;
}

enum { most_helpers = 255 };

/// Threads that live for one region, some 20 µs each: only where oneDNN was built without OpenMP.
void graft_parallel_without_openmp(int parts, void (*body)(void *context, int part), void *context) {
    region shared = {.body = body, .context = context, .parts = parts};
    pthread_t helpers[most_helpers];
    int started = 0;
    while (started < parts - 1 && started < most_helpers &&
           pthread_create(&helpers[started], NULL, take_parts, &shared) == 0)
        started++;
    take_parts(&shared);
    while (started > 0) pthread_join(helpers[--started], NULL);
}

#endif

int graft_processor_count(void) {
#if !defined(__APPLE__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

uint64_t graft_memory_size(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
}

double graft_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void graft_release_memory(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

void *graft_allocate(size_t size) {
    const size_t page = 2 << 20;
    void *memory = NULL;
    if (posix_memalign(&memory, size < 2 * page ? 64 : page, size ? size : 64) != 0) return NULL;
#if defined(MADV_HUGEPAGE)
    if (size >= 2 * page) madvise(memory, size / page * page, MADV_HUGEPAGE);
#endif
    return memory;
}
