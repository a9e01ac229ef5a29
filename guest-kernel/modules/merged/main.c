// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module of the merged generation.
 */
#include <linux/module.h>

#include "merged/merged.h"

static int __init merged_init(void)
{
	int ret = merged_chardev_register();

	if (!ret)
		dmabed_importer_register(&merged_importer);
	return ret;
}
module_init(merged_init);

/* Buffers and attachments hold the module, so there are none. */
static void __exit merged_exit(void)
{
	dmabed_importer_unregister(&merged_importer);
	merged_chardev_unregister();
}
module_exit(merged_exit);

MODULE_DESCRIPTION("dmabed: the buffer sharing framework as merged in 2012");
MODULE_LICENSE("GPL");
