// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Switches that break the posted generation, and those that bring back what
 * was wrong in the posted text; docs/specs/generations.md says what each does.
 */
#include "posted/posted.h"

static const char * const names[] = {
	[0] = "",
	[POSTED_SHORT_BUFFER] = "short-buffer",
	[POSTED_OTHER_PROCESS_REFUSED] = "other-process-refused",
	[POSTED_ERRORS_SWAPPED] = "errors-swapped",
	[POSTED_PUT_KEEPS] = "put-keeps",
	[POSTED_ATTACH_ERROR_LOST] = "attach-error-lost",
	[POSTED_LIST_WITHOUT_ATTACH] = "list-without-attach",
	[POSTED_EARLY_ALLOCATION] = "early-allocation",
	[POSTED_ONE_READER] = "one-reader",
	[POSTED_PUT_LIST_KEEPS] = "put-list-keeps",
	[POSTED_NO_STALL] = "no-stall",
	[POSTED_LATE_ATTACH_ALLOWED] = "late-attach-allowed",
	[POSTED_WRONG_PAGE] = "wrong-page",
	[POSTED_MMAP_ALWAYS] = "mmap-always",
	[POSTED_SYNC_DOES_NOTHING] = "sync-does-nothing",
	[POSTED_LEAK_ATTACHMENT] = "leak-attachment",
	[POSTED_OTHER_ERROR] = "other-error",
};

static struct dmabed_sabotage switches = {
	.names = names,
	.count = ARRAY_SIZE(names),
};

DMABED_SABOTAGE_PARAM(&switches);

static const char * const defect_names[] = {
	[0] = "",
	[POSTED_EXPORT_BUG_ON] = "export-bug-on",
	[POSTED_EXPORT_RETURNS_NULL] = "export-returns-null",
	[POSTED_OPS_UNCHECKED] = "ops-unchecked",
	[POSTED_ANON_FILE_UNCHECKED] = "anon-file-unchecked",
	[POSTED_SIZE_UNSET] = "size-unset",
	[POSTED_FD_UNCHECKED] = "fd-unchecked",
	[POSTED_FD_WITHOUT_CLOEXEC] = "fd-without-cloexec",
	[POSTED_FD_STEALS_REFERENCE] = "fd-steals-reference",
	[POSTED_PUT_BUG_ON] = "put-bug-on",
	[POSTED_ATTACH_INVERTED_TEST] = "attach-inverted-test",
	[POSTED_ATTACH_DMABUF_UNSET] = "attach-dmabuf-unset",
	[POSTED_ATTACH_RETURNS_NULL] = "attach-returns-null",
	[POSTED_ATTACH_BUG_ON] = "attach-bug-on",
	[POSTED_DETACH_BUG_ON] = "detach-bug-on",
	[POSTED_DETACH_UNCHECKED] = "detach-unchecked",
	[POSTED_GET_RETURNS_NULL] = "get-returns-null",
	[POSTED_GET_UNLOCKED] = "get-unlocked",
	[POSTED_STALL_UNINTERRUPTIBLE] = "stall-uninterruptible",
	[POSTED_ATTACH_WITHOUT_REFERENCE] = "attach-without-reference",
	[POSTED_DETACH_FORGETS_LISTS] = "detach-forgets-lists",
	[POSTED_NO_OWNER] = "no-owner",
	[POSTED_MMAP_UNBOUNDED] = "mmap-unbounded",
	[POSTED_SYNC_UNCHECKED] = "sync-unchecked",
	[POSTED_PUT_WITHOUT_DIRECTION] = "put-without-direction",
};

static struct dmabed_sabotage defects = {
	.names = defect_names,
	.count = ARRAY_SIZE(defect_names),
};

module_param_cb(defect, &dmabed_sabotage_ops, &defects, 0644);

/**
 * posted_sabotaged - is a switch of this module on
 * @which: its number
 */
bool posted_sabotaged(enum posted_sabotage which)
{
	return dmabed_sabotaged(&switches, which);
}

/**
 * posted_defect - is the code here as it was posted
 * @which: number of the defect
 */
bool posted_defect(enum posted_defect which)
{
	return dmabed_sabotaged(&defects, which);
}

static unsigned int fail_alloc;
module_param(fail_alloc, uint, 0644);
MODULE_PARM_DESC(fail_alloc, "which allocation from now on fails, 0: none");

/**
 * posted_alloc_fails - is it the turn of this allocation to fail
 */
bool posted_alloc_fails(void)
{
	return dmabed_its_turn(&fail_alloc);
}
