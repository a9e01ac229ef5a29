/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of the guest's start, one file each.  None of them gives up: what
 * fails is said on the console, and the guest goes on with what it has.
 */
#ifndef DMABED_INIT_H
#define DMABED_INIT_H

#include <stdbool.h>
#include <stddef.h>

/* say.c: a line on the console */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_errno(const char *what);

/* mounts.c */
void mount_all(void);

/* reports.c */
void let_dma_debug_speak(void);

/* modules.c */
void load_modules(void);

/* network.c: lo, and eth0 with the address that QEMU's user network expects */
void network_up(void);

/* cmdline.c: whether the kernel command line holds this word */
bool cmdline_has(const char *word);
/* what follows this beginning of a word, NULL when no word has it; good until the next call */
char *cmdline_value(const char *beginning);

/* services.c: programs that run for as long as the guest does */
void services_block_signals(void);
void services_start(void);
void services_run(void);

/* power.c: never returns */
void power(int command);

#endif
