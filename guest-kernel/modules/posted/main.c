// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module of the posted generation.
 */
#include <linux/module.h>

#include "posted/posted.h"

static int __init posted_init(void)
{
	int ret = posted_calls_init();

	if (ret)
		return ret;
	ret = posted_chardev_register();
	if (ret)
		posted_calls_exit();
	else
		posted_importer_register();
	return ret;
}
module_init(posted_init);

/* Buffers and attachments hold the module, so there are none. */
static void __exit posted_exit(void)
{
	posted_importer_unregister();
	posted_chardev_unregister();
	posted_calls_exit();
}
module_exit(posted_exit);

MODULE_DESCRIPTION("dmabed: the buffer sharing framework as posted in 2011");
MODULE_LICENSE("GPL");
