/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a device uses a buffer, whatever the generation of the framework: the
 * seam between the engine's driver and the generations beside the kernel's own.
 *
 * A generation registers here; the engine's driver finds it by the flag that
 * user space gave.  So neither module needs the other.
 */
#ifndef DMABED_IMPORTER_H
#define DMABED_IMPORTER_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

struct dma_resv;

/**
 * struct dmabed_importer - the operations of a generation, as a device sees them
 * @node: in the list of all
 * @owner: the module, kept while anybody has an attachment
 * @flag: DMABED_ATTACH_* that asks for it
 * @lasting: a mapping that a job made stays; otherwise it ends with its jobs
 * @get: the buffer behind an fd, referenced, or an error pointer
 * @put: a reference less
 * @size: bytes of a buffer
 * @resv: where its fences are, NULL: the generation has none
 * @attach: an attachment or an error pointer; @priv is for move_notify
 * @detach: its end
 * @map: storage that suits the device, mapped for it, or an error pointer
 * @unmap: its end
 * @pin: keep the buffer where it is; NULL: -EINVAL
 * @unpin: the other way round
 * @sync: DMABED_SYNC_*, for what the device has mapped; NULL: -EOPNOTSUPP
 */
struct dmabed_importer {
	struct list_head node;
	struct module *owner;
	u32 flag;
	bool lasting;
	void *(*get)(int fd);
	void (*put)(void *buffer);
	size_t (*size)(void *buffer);
	struct dma_resv *(*resv)(void *buffer);
	void *(*attach)(void *buffer, struct device *dev, u32 flags,
			void *priv);
	void (*detach)(void *buffer, void *attach);
	struct sg_table *(*map)(void *attach,
				enum dma_data_direction direction);
	void (*unmap)(void *attach, struct sg_table *sgt,
		      enum dma_data_direction direction);
	int (*pin)(void *attach);
	void (*unpin)(void *attach);
	int (*sync)(void *attach, u32 target);
};

void dmabed_importer_register(struct dmabed_importer *importer);
void dmabed_importer_unregister(struct dmabed_importer *importer);
const struct dmabed_importer *dmabed_importer_get(u32 flag);
void dmabed_importer_put(const struct dmabed_importer *importer);

#endif /* DMABED_IMPORTER_H */
