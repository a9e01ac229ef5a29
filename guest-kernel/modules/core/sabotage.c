// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parameter "sabotage", which takes the name of a switch and no other.
 */
#include <linux/export.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "core.h"

static int set_switch(const char *value, const struct kernel_param *param)
{
	struct dmabed_sabotage *sabotage = param->arg;
	unsigned int i;

	for (i = 0; i < sabotage->count; i++) {
		/* a line feed at the end does not matter */
		if (sysfs_streq(value, sabotage->names[i])) {
			WRITE_ONCE(sabotage->active, i);
			return 0;
		}
	}
	return -EINVAL;
}

static int get_switch(char *buffer, const struct kernel_param *param)
{
	const struct dmabed_sabotage *sabotage = param->arg;

	return sysfs_emit(buffer, "%s\n", sabotage->names[sabotage->active]);
}

const struct kernel_param_ops dmabed_sabotage_ops = {
	.set = set_switch,
	.get = get_switch,
};
EXPORT_SYMBOL_GPL(dmabed_sabotage_ops);

static DEFINE_SPINLOCK(countdown_lock);

/**
 * dmabed_its_turn - is this the one that shall fail
 * @countdown: a parameter: which from now on, 0: none
 */
bool dmabed_its_turn(unsigned int *countdown)
{
	bool is;

	spin_lock(&countdown_lock);
	is = *countdown == 1;
	if (*countdown)
		(*countdown)--;
	spin_unlock(&countdown_lock);
	return is;
}
EXPORT_SYMBOL_GPL(dmabed_its_turn);

static const char * const names[] = {
	[0] = "",
	[DMABED_CORE_NO_COPY] = "no-copy",
	[DMABED_CORE_IGNORE_REACH] = "ignore-reach",
	[DMABED_CORE_IGNORE_LIST_LIMITS] = "ignore-list-limits",
	[DMABED_CORE_ACCEPT_ANY_ATTACH] = "accept-any-attach",
	[DMABED_CORE_WRONG_POOL] = "wrong-pool",
	[DMABED_CORE_LEAK_STORAGE] = "leak-storage",
	[DMABED_CORE_KEEP_GONE_MEMORY] = "keep-gone-memory",
	[DMABED_CORE_QUIESCE_FIRST] = "quiesce-first",
	[DMABED_CORE_IGNORE_POOL] = "ignore-pool",
	[DMABED_CORE_IGNORE_BUFFER_LIMITS] = "ignore-buffer-limits",
};

static struct dmabed_sabotage switches = {
	.names = names,
	.count = ARRAY_SIZE(names),
};

DMABED_SABOTAGE_PARAM(&switches);

/**
 * dmabed_core_sabotaged - is a switch of the core on
 * @which: its number
 */
bool dmabed_core_sabotaged(enum dmabed_core_sabotage which)
{
	return dmabed_sabotaged(&switches, which);
}
