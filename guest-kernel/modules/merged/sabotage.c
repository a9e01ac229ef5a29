// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Switches that break the merged generation; docs/specs/generations.md says what
 * each does.
 */
#include "merged/merged.h"

static const char * const names[] = {
	[0] = "",
	[MERGED_TABLE_WITHOUT_ATTACH] = "table-without-attach",
	[MERGED_SHORT_TABLE] = "short-table",
	[MERGED_HAS_MMAP] = "has-mmap",
	[MERGED_EARLY_ALLOCATION] = "early-allocation",
	[MERGED_FIRST_DEVICE_ONLY] = "first-device-only",
	[MERGED_GLOBAL_HANDLES] = "global-handles",
	[MERGED_HANDLES_SURVIVE] = "handles-survive",
};

static struct dmabed_sabotage switches = {
	.names = names,
	.count = ARRAY_SIZE(names),
};

DMABED_SABOTAGE_PARAM(&switches);

/**
 * merged_sabotaged - is a switch of this module on
 * @which: its number
 */
bool merged_sabotaged(enum merged_sabotage which)
{
	return dmabed_sabotaged(&switches, which);
}

static unsigned int fail_alloc;
module_param(fail_alloc, uint, 0644);
MODULE_PARM_DESC(fail_alloc, "which allocation from now on fails, 0: none");

/**
 * merged_alloc_fails - is it the turn of this allocation to fail
 */
bool merged_alloc_fails(void)
{
	return dmabed_its_turn(&fail_alloc);
}
