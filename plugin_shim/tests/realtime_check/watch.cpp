#include "watch.hpp"

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

// A system call by its number, made by the instruction right before `segue_system_call_made`.
extern "C" long segue_system_call(long number, long a, long b, long c, long d, long e, long f) noexcept;
extern "C" const char segue_system_call_made[];

#if defined(__x86_64__)
asm(R"(
    .text
segue_system_call:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
segue_system_call_made:
    ret
)");
#elif defined(__aarch64__)
asm(R"(
    .text
segue_system_call:
    mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    svc #0
segue_system_call_made:
    ret
)");
#endif

namespace segue::plugin::realtime_check {
namespace {

// One a thread, in the program itself: reaching it takes no call.
thread_local bool watched = false;
thread_local Counts counts;

void note(Offence offence, const char* function) noexcept {
    if (!watched) return;
    ++counts.number[static_cast<std::size_t>(offence)];
    if (counts.first_function == nullptr) counts.first_function = function;
}

// The function that ours hides.
template <typename Function>
Function* hidden(const char* name) noexcept {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// A system call that the filter caught: it is counted, and made from the one place where the filter lets it pass.
void on_system_call(int, siginfo_t* info, void* context) noexcept {
    if (watched) {
        ++counts.number[static_cast<std::size_t>(Offence::system_call)];
        if (counts.first_system_call < 0) counts.first_system_call = info->si_syscall;
    }
    auto* registers = &static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
    const auto& r = registers->gregs;
    registers->gregs[REG_RAX] = segue_system_call(info->si_syscall, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10],
                                                  r[REG_R8], r[REG_R9]);
#elif defined(__aarch64__)
    const auto argument = [registers](int i) { return static_cast<long>(registers->regs[i]); };
    registers->regs[0] = static_cast<unsigned long long>(segue_system_call(
        info->si_syscall, argument(0), argument(1), argument(2), argument(3), argument(4), argument(5)));
#endif
}

sock_filter load(std::size_t offset) noexcept {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

sock_filter answer(std::uint32_t action) noexcept { return BPF_STMT(BPF_RET | BPF_K, action); }

sock_filter unless_equal(std::uint32_t value, std::uint8_t skip) noexcept {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}

}  // namespace

bool watch_system_calls() noexcept {
    struct sigaction action {};
    action.sa_sigaction = on_system_call;
    action.sa_flags = SA_SIGINFO;
    if (sigaction(SIGSYS, &action, nullptr) != 0) return false;
    const sock_filter allow = answer(SECCOMP_RET_ALLOW);
    const auto gate = reinterpret_cast<std::uint64_t>(segue_system_call_made);
    constexpr std::size_t caller = offsetof(seccomp_data, instruction_pointer);  // low word first
    sock_filter filter[] = {
        load(caller),
        unless_equal(static_cast<std::uint32_t>(gate), 3),
        load(caller + sizeof(std::uint32_t)),
        unless_equal(static_cast<std::uint32_t>(gate >> 32), 1),
        allow,
        load(offsetof(seccomp_data, nr)),
        // these change the thread's signals, and would do it to the handler's
        unless_equal(__NR_rt_sigreturn, 1),
        allow,
        unless_equal(__NR_rt_sigprocmask, 1),
        allow,
        // a thread ends with these, its signals blocked
        unless_equal(__NR_madvise, 1),
        allow,
        unless_equal(__NR_exit, 1),
        allow,
        answer(SECCOMP_RET_TRAP),
    };
    const sock_fprog program{sizeof filter / sizeof filter[0], filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

void begin() noexcept {
    counts = Counts{};
    watched = true;
}

Counts end() noexcept {
    watched = false;
    return counts;
}

}  // namespace segue::plugin::realtime_check

namespace check = segue::plugin::realtime_check;
using check::Offence;

extern "C" {

void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;
void __libc_free(void*) noexcept;

void* malloc(std::size_t size) noexcept {
    check::note(Offence::allocation, "malloc");
    return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) noexcept {
    check::note(Offence::allocation, "calloc");
    return __libc_calloc(number, size);
}

void* realloc(void* block, std::size_t size) noexcept {
    check::note(Offence::allocation, "realloc");
    return __libc_realloc(block, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
    check::note(Offence::allocation, "memalign");
    return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    check::note(Offence::allocation, "aligned_alloc");
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
    check::note(Offence::allocation, "posix_memalign");
    *block = __libc_memalign(alignment, size);
    return *block == nullptr ? ENOMEM : 0;
}

void free(void* block) noexcept {
    check::note(Offence::release, "free");
    __libc_free(block);
}

// Counts, then does what the hidden function does.
#define SEGUE_WATCH(offence, result, name, parameters, arguments)         \
    result name parameters {                                              \
        static const auto next = check::hidden<result parameters>(#name); \
        check::note(offence, #name);                                      \
        return next arguments;                                            \
    }
#define SEGUE_WATCH_LOCK(name, parameters, arguments) SEGUE_WATCH(Offence::lock, int, name, parameters, arguments)

SEGUE_WATCH_LOCK(pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
SEGUE_WATCH_LOCK(pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))
SEGUE_WATCH_LOCK(pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex))
SEGUE_WATCH_LOCK(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
SEGUE_WATCH_LOCK(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
SEGUE_WATCH_LOCK(pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock))
SEGUE_WATCH_LOCK(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t* mutex), (condition, mutex))
SEGUE_WATCH_LOCK(pthread_cond_timedwait,
                 (pthread_cond_t * condition, pthread_mutex_t* mutex, const struct timespec* until),
                 (condition, mutex, until))
SEGUE_WATCH_LOCK(pthread_cond_signal, (pthread_cond_t * condition), (condition))
SEGUE_WATCH_LOCK(pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
SEGUE_WATCH_LOCK(sem_wait, (sem_t * semaphore), (semaphore))
SEGUE_WATCH_LOCK(sem_post, (sem_t * semaphore), (semaphore))

SEGUE_WATCH(Offence::log, int, puts, (const char* text), (text))
SEGUE_WATCH(Offence::log, int, fputs, (const char* text, std::FILE* file), (text, file))
SEGUE_WATCH(Offence::log, int, vfprintf, (std::FILE * file, const char* text, std::va_list values),
            (file, text, values))
SEGUE_WATCH(Offence::log, std::size_t, fwrite,
            (const void* data, std::size_t size, std::size_t number, std::FILE* file), (data, size, number, file))

int fprintf(std::FILE* file, const char* text, ...) {
    std::va_list values;
    va_start(values, text);
    const int written = vfprintf(file, text, values);
    va_end(values);
    return written;
}

int printf(const char* text, ...) {
    std::va_list values;
    va_start(values, text);
    const int written = vfprintf(stdout, text, values);
    va_end(values);
    return written;
}

#undef SEGUE_WATCH_LOCK
#undef SEGUE_WATCH

}  // extern "C"
