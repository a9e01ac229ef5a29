// SPDX-License-Identifier: GPL-2.0-or-later
#include "storages.h"

#include <dmabed.h>

const struct word storages[] = {
	{ "none", DMABED_STORAGE_NONE },
	{ "auto", DMABED_STORAGE_AUTO },
	{ "pages", DMABED_STORAGE_PAGES },
	{ "low-pages", DMABED_STORAGE_LOW_PAGES },
	{ "contiguous", DMABED_STORAGE_CONTIGUOUS },
	{ "fixed", DMABED_STORAGE_FIXED },
	{ "pool", DMABED_STORAGE_POOL },
	{ "local", DMABED_STORAGE_LOCAL },
	{ 0 },
};

const struct word export_flags[] = {
	{ "dynamic", DMABED_EXPORT_DYNAMIC },
	{ "unconstrained", DMABED_EXPORT_UNCONSTRAINED },
	{ "high", DMABED_EXPORT_HIGH },
	{ "no-mmap", DMABED_EXPORT_NO_MMAP },
	{ "no-vmap", DMABED_EXPORT_NO_VMAP },
	{ "no-cpu-access", DMABED_EXPORT_NO_CPU_ACCESS },
	{ "cache-sgt", DMABED_EXPORT_CACHE_SGT },
	{ "no-late-attach", DMABED_EXPORT_NO_LATE_ATTACH },
	{ "no-attach-ops", DMABED_EXPORT_NO_ATTACH_OPS },
	{ 0 },
};

const struct word storage_bits[] = {
	{ "pages", 1 << DMABED_STORAGE_PAGES },
	{ "low-pages", 1 << DMABED_STORAGE_LOW_PAGES },
	{ "contiguous", 1 << DMABED_STORAGE_CONTIGUOUS },
	{ "fixed", 1 << DMABED_STORAGE_FIXED },
	{ "pool", 1 << DMABED_STORAGE_POOL },
	{ "local", 1 << DMABED_STORAGE_LOCAL },
	{ 0 },
};
