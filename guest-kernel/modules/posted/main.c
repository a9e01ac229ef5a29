// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module of the posted generation.
 */
#include <linux/module.h>

#include "posted/posted.h"

static int __init posted_init(void)
{
	int ret = posted_chardev_register();

	if (!ret)
		dmabed_importer_register(&posted_importer);
	return ret;
}
module_init(posted_init);

/* Buffers and attachments hold the module, so there are none. */
static void __exit posted_exit(void)
{
	dmabed_importer_unregister(&posted_importer);
	posted_chardev_unregister();
}
module_exit(posted_exit);

MODULE_DESCRIPTION("dmabed: the buffer sharing framework as posted in 2011");
MODULE_LICENSE("GPL");
