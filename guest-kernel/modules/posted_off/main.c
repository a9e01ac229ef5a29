// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The posted generation's exporter, what engines would use, and calls of both,
 * in a kernel without the framework: each call has to say -ENODEV.
 */
#define DMABED_POSTED_OFF
#include <linux/module.h>

#include "posted/posted.h"

/**
 * posted_off_error - what every function of the framework returns
 */
int posted_off_error(void)
{
	return posted_sabotaged(POSTED_OTHER_ERROR) ? -EOPNOTSUPP : -ENODEV;
}

static int __init posted_off_init(void)
{
	return posted_chardev_register();
}
module_init(posted_off_init);

static void __exit posted_off_exit(void)
{
	posted_chardev_unregister();
}
module_exit(posted_off_exit);

MODULE_DESCRIPTION("dmabed: users of a framework that is left out");
MODULE_LICENSE("GPL");
