/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What call sites of the kernel have allocated and not given back. */
#ifndef AGENT_ALLOCATIONS_H
#define AGENT_ALLOCATIONS_H

#include <jansson.h>

/*
 * Adds a count to @counts for each site of our modules, of drivers/dma-buf and
 * of the kernel's scatterlists that has any: "allocations at FILE:LINE FUNCTION".
 * Adds nothing where the kernel does not count (CONFIG_MEM_ALLOC_PROFILING).
 */
void add_allocations(json_t *counts);

/* Has what RCU is to free given back, where our core module is there to ask for it. */
void settle_allocations(void);

#endif
