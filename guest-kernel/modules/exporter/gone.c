// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers whose memory goes with a device that is removed.
 *
 * Importers are told, as of a move, and find at their next mapping that there
 * is nothing to map; the CPU's mappings end.  Jobs in flight are not waited
 * for: a device that was pulled out has no memory for them anyway, and what
 * they read at its addresses is the bus's answer.
 */
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/notifier.h>

#include "exporter.h"

static LIST_HEAD(buffers);
static DEFINE_MUTEX(buffers_lock);

/**
 * dmabed_gone_note - a buffer is there
 * @buffer: the buffer, its dma-buf exported
 */
void dmabed_gone_note(struct dmabed_buffer *buffer)
{
	mutex_lock(&buffers_lock);
	list_add_tail(&buffer->node, &buffers);
	mutex_unlock(&buffers_lock);
}

/**
 * dmabed_gone_forget - it is being released
 * @buffer: the buffer
 */
void dmabed_gone_forget(struct dmabed_buffer *buffer)
{
	mutex_lock(&buffers_lock);
	list_del(&buffer->node);
	mutex_unlock(&buffers_lock);
}

static void revoke(struct dmabed_buffer *buffer,
		   const struct dmabed_carveout *carveout)
{
	struct dma_buf *dmabuf = buffer->dmabuf;
	const struct dmabed_storage *storage;

	dma_resv_lock(dmabuf->resv, NULL);
	storage = buffer->backing.storage;
	if (storage && storage->carveout == carveout) {
		if (dma_buf_is_dynamic(dmabuf))
			dma_buf_move_notify(dmabuf);
		dmabed_zap_cpu_mappings(buffer);
	}
	dma_resv_unlock(dmabuf->resv);
}

static int carveout_gone(struct notifier_block *watcher, unsigned long action,
			 void *carveout)
{
	struct dmabed_buffer *buffer;

	mutex_lock(&buffers_lock);
	list_for_each_entry(buffer, &buffers, node) {
		/* one that nobody has any more is on its way to its release */
		if (!get_file_active(&buffer->dmabuf->file))
			continue;
		revoke(buffer, carveout);
		dma_buf_put(buffer->dmabuf);
	}
	mutex_unlock(&buffers_lock);
	return NOTIFY_OK;
}

static struct notifier_block watcher = { .notifier_call = carveout_gone };

/**
 * dmabed_gone_watch - begin to look out for memory that goes
 */
int dmabed_gone_watch(void)
{
	return dmabed_carveout_watch(&watcher);
}

/**
 * dmabed_gone_unwatch - no more; there are no buffers any more
 */
void dmabed_gone_unwatch(void)
{
	dmabed_carveout_unwatch(&watcher);
}
