/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switches that break one behaviour each, to see that some check notices
 * (docs/sabotage.md).  Off by default; each module has one parameter and at
 * most one switch on.
 */
#ifndef DMABED_SABOTAGE_H
#define DMABED_SABOTAGE_H

#include <linux/compiler.h>
#include <linux/moduleparam.h>
#include <linux/types.h>

/**
 * struct dmabed_sabotage - the switches of a module
 * @names: by number; number 0, "off", has the empty name
 * @count: entries of @names
 * @active: the one that is on, 0: none
 */
struct dmabed_sabotage {
	const char * const *names;
	unsigned int count;
	unsigned int active;
};

extern const struct kernel_param_ops dmabed_sabotage_ops;

/* The parameter of a module. */
#define DMABED_SABOTAGE_PARAM(switches) \
	module_param_cb(sabotage, &dmabed_sabotage_ops, switches, 0644)

/**
 * dmabed_sabotaged - is a switch on
 * @sabotage: of the module
 * @which: its number
 */
static inline bool dmabed_sabotaged(const struct dmabed_sabotage *sabotage,
				    unsigned int which)
{
	return unlikely(READ_ONCE(sabotage->active) == which);
}

bool dmabed_its_turn(unsigned int *countdown);

#endif /* DMABED_SABOTAGE_H */
