/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that only drivers call, by way of /dev/dmabed-calls. */
#ifndef TESTS_KERNEL_CALLS_H
#define TESTS_KERNEL_CALLS_H

#include <dmabed.h>
#include <stdint.h>

#define FOREVER (-1LL)
#define A_MOMENT 20000000 /* ns: a tick or more, whatever HZ is */
#define ERESTARTSYS 512 /* include/linux/errno.h: a signal came; not for user space otherwise */
#define NO_SLOT (~0ULL)

/* call(calls, RESV_ADD, 0, 3, DMABED_USAGE_READ): what the function returned */
#define call(calls, function, ...)                                                                \
	kernel_call(calls, DMABED_CALL_##function, (const uint64_t[4]){ __VA_ARGS__ })

/* A file of its own, with its slots; skips when there is no such device. */
int calls_open(void);
/* The same, with this buffer selected. */
int calls_on(int buffer);
void calls_select(int calls, int buffer);
/* The request itself has to be taken. */
long long kernel_call(int calls, uint32_t function, const uint64_t *args);
/* The same as a system call: -1 and errno, also of the request; for faults. */
int attempt_call(int calls, uint32_t function, const uint64_t *args);

/* The next warning of this function in the kernel's log is wanted. */
void expect_warning(const char *function);
/* Those that speak once a boot speak again. */
void warn_once_again(void);

/* A fence of a new context; its slot. */
int new_fence(int calls, int slot);
/* The same fence in a slot of another file, which can be waited for there. */
void share_fence(int calls, int slot, int other, int other_slot);

#endif
