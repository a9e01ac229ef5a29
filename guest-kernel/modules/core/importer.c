// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The generations that devices can import from, beside the kernel's own.
 */
#include <linux/export.h>
#include <linux/mutex.h>

#include "core/importer.h"

static LIST_HEAD(importers);
static DEFINE_MUTEX(importers_lock);

/**
 * dmabed_importer_register - devices can use this generation from now on
 * @importer: its operations
 */
void dmabed_importer_register(struct dmabed_importer *importer)
{
	mutex_lock(&importers_lock);
	list_add(&importer->node, &importers);
	mutex_unlock(&importers_lock);
}
EXPORT_SYMBOL_GPL(dmabed_importer_register);

/**
 * dmabed_importer_unregister - nobody attaches by it any more
 * @importer: its operations, which nobody uses: its module is going
 */
void dmabed_importer_unregister(struct dmabed_importer *importer)
{
	mutex_lock(&importers_lock);
	list_del(&importer->node);
	mutex_unlock(&importers_lock);
}
EXPORT_SYMBOL_GPL(dmabed_importer_unregister);

/**
 * dmabed_importer_get - find a generation, and keep its module
 * @flag: DMABED_ATTACH_* that asks for it
 *
 * Return: its operations, or NULL when the module is not there, or is going.
 */
const struct dmabed_importer *dmabed_importer_get(u32 flag)
{
	struct dmabed_importer *found = NULL;
	struct dmabed_importer *importer;

	mutex_lock(&importers_lock);
	list_for_each_entry(importer, &importers, node)
		if (importer->flag == flag && try_module_get(importer->owner))
			found = importer;
	mutex_unlock(&importers_lock);
	return found;
}
EXPORT_SYMBOL_GPL(dmabed_importer_get);

/**
 * dmabed_importer_put - let its module go
 * @importer: as found
 */
void dmabed_importer_put(const struct dmabed_importer *importer)
{
	module_put(importer->owner);
}
EXPORT_SYMBOL_GPL(dmabed_importer_put);
