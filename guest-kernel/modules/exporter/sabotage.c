// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Switches that break the exporter; docs/sabotage.md says what each does.
 */
#include "exporter.h"

static const char * const names[] = {
	[0] = "",
	[DMABED_EXPORTER_MOVE_PINNED] = "move-pinned",
	[DMABED_EXPORTER_MOVE_VMAPPED] = "move-vmapped",
	[DMABED_EXPORTER_FORGET_PIN] = "forget-pin",
	[DMABED_EXPORTER_NO_MOVE_NOTIFY] = "no-move-notify",
	[DMABED_EXPORTER_NO_FENCE_WAIT] = "no-fence-wait",
	[DMABED_EXPORTER_NO_ZAP] = "no-zap",
	[DMABED_EXPORTER_NO_BEGIN_SYNC] = "no-begin-sync",
	[DMABED_EXPORTER_NO_END_SYNC] = "no-end-sync",
	[DMABED_EXPORTER_FAIL_BEGIN] = "fail-begin",
	[DMABED_EXPORTER_WRONG_PAGE] = "wrong-page",
	[DMABED_EXPORTER_WRONG_VMAP] = "wrong-vmap",
	[DMABED_EXPORTER_SHORT_BUFFER] = "short-buffer",
	[DMABED_EXPORTER_ACCEPT_ANY_SIZE] = "accept-any-size",
	[DMABED_EXPORTER_WRONG_EXPORTER_NAME] = "wrong-exporter-name",
	[DMABED_EXPORTER_CLOEXEC_IGNORED] = "cloexec-ignored",
	[DMABED_EXPORTER_P2P_NEVER] = "p2p-never",
	[DMABED_EXPORTER_P2P_ALWAYS] = "p2p-always",
	[DMABED_EXPORTER_NO_OWNER] = "no-owner",
	[DMABED_EXPORTER_LEAK_ATTACHMENT] = "leak-attachment",
	[DMABED_EXPORTER_LEAK_MAPPING] = "leak-mapping",
	[DMABED_EXPORTER_LEAK_UNCOUNTED] = "leak-uncounted",
	[DMABED_EXPORTER_WAIT_IN_MAP] = "wait-in-map",
	[DMABED_EXPORTER_IGNORE_BOOKKEEP] = "ignore-bookkeep",
};

static struct dmabed_sabotage switches = {
	.names = names,
	.count = ARRAY_SIZE(names),
};

DMABED_SABOTAGE_PARAM(&switches);

/**
 * dmabed_exporter_sabotaged - is a switch of this module on
 * @which: its number
 */
bool dmabed_exporter_sabotaged(enum dmabed_exporter_sabotage which)
{
	return dmabed_sabotaged(&switches, which);
}
