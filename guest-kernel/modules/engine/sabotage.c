// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Switches that break the engine's driver; docs/sabotage.md says what each does.
 */
#include "engine.h"

static const char * const names[] = {
	[0] = "",
	[DMABED_ENGINE_WIDE_MASK] = "wide-mask",
	[DMABED_ENGINE_NO_BUS_OFFSET] = "no-bus-offset",
	[DMABED_ENGINE_NO_DEPENDENCIES] = "no-dependencies",
	[DMABED_ENGINE_NO_FENCE] = "no-fence",
	[DMABED_ENGINE_EARLY_FENCE] = "early-fence",
	[DMABED_ENGINE_WRITE_AS_READ] = "write-as-read",
	[DMABED_ENGINE_READ_AS_WRITE] = "read-as-write",
	[DMABED_ENGINE_STALE_MAPPING] = "stale-mapping",
	[DMABED_ENGINE_NO_FENCE_ERROR] = "no-fence-error",
	[DMABED_ENGINE_IGNORE_IN_FENCE] = "ignore-in-fence",
	[DMABED_ENGINE_IGNORE_DETACH] = "ignore-detach",
	[DMABED_ENGINE_CLOSE_STOPS_RING] = "close-stops-ring",
	[DMABED_ENGINE_UNBIND_KEEPS_JOBS] = "unbind-keeps-jobs",
	[DMABED_ENGINE_LEAK_JOB] = "leak-job",
	[DMABED_ENGINE_EARLY_UNMAP] = "early-unmap",
	[DMABED_ENGINE_NO_RUNTIME_PM] = "no-runtime-pm",
};

static struct dmabed_sabotage switches = {
	.names = names,
	.count = ARRAY_SIZE(names),
};

DMABED_SABOTAGE_PARAM(&switches);

/**
 * dmabed_engine_sabotaged - is a switch of this module on
 * @which: its number
 */
bool dmabed_engine_sabotaged(enum dmabed_engine_sabotage which)
{
	return dmabed_sabotaged(&switches, which);
}
