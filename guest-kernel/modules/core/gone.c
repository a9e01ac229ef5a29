// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers whose memory goes with a device that is removed.
 *
 * The generation ends what it can end: the CPU's mappings, and those of
 * importers that it can tell.  Whoever asks for the storage from then on hears
 * that there is none.  Jobs in flight are not waited for: a device that was
 * pulled out has no memory for them anyway, and what they read at its addresses
 * is the bus's answer.
 */
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mutex.h>

#include "core.h"

static LIST_HEAD(backings);
static DEFINE_MUTEX(backings_lock);

/**
 * dmabed_gone_note - a buffer is there
 * @backing: its storage; file() of its front end gives the buffer's file
 */
void dmabed_gone_note(struct dmabed_backing *backing)
{
	mutex_lock(&backings_lock);
	list_add_tail(&backing->node, &backings);
	mutex_unlock(&backings_lock);
}
EXPORT_SYMBOL_GPL(dmabed_gone_note);

/**
 * dmabed_gone_forget - it is being released
 * @backing: its storage
 */
void dmabed_gone_forget(struct dmabed_backing *backing)
{
	mutex_lock(&backings_lock);
	list_del(&backing->node);
	mutex_unlock(&backings_lock);
}
EXPORT_SYMBOL_GPL(dmabed_gone_forget);

/**
 * dmabed_gone_revoke - end the uses of memory that goes
 * @carveout: the memory, marked as gone
 *
 * Takes the lock of each buffer.
 */
void dmabed_gone_revoke(const struct dmabed_carveout *carveout)
{
	struct dmabed_backing *backing;
	struct file *file;

	mutex_lock(&backings_lock);
	list_for_each_entry(backing, &backings, node) {
		/* one that nobody has any more is on its way to its release */
		file = get_file_active(backing->ops->file(backing));
		if (!file)
			continue;
		backing->ops->revoke(backing, carveout);
		fput(file);
	}
	mutex_unlock(&backings_lock);
}
