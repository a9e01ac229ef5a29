// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules that all our ioctls share: the structure says its size, may grow
 * with a tail of zeros, and is copied back as far as the caller knows it.
 */
#include <linux/export.h>
#include <linux/ioctl.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"

static const struct dmabed_ioctl *find(const struct dmabed_ioctl *table,
				       unsigned int entries, unsigned int command)
{
	unsigned int i;

	if (_IOC_TYPE(command) != DMABED_IOC_MAGIC)
		return NULL;
	for (i = 0; i < entries; i++)
		if (table[i].nr == _IOC_NR(command))
			return &table[i];
	return NULL;
}

static void *copy_in(const struct dmabed_ioctl *ioctl, void __user *user,
		     u32 user_size)
{
	void *argument;
	int ret;

	if (user_size < (ioctl->first_size ?: ioctl->size))
		return ERR_PTR(-EINVAL);
	argument = kzalloc(ioctl->size, GFP_KERNEL);
	if (!argument)
		return ERR_PTR(-ENOMEM);
	ret = copy_struct_from_user(argument, ioctl->size, user, user_size);
	if (ret) {
		kfree(argument);
		return ERR_PTR(ret);
	}
	return argument;
}

/**
 * dmabed_ioctl_run - find and do an ioctl
 * @table: what there is
 * @entries: entries of @table
 * @context: for the ioctl
 * @command: as user space gave it
 * @user: the structure's address in user space
 *
 * The structure goes back also with -ENOSPC, which fills in a count.  Where it
 * could not go back, nothing is done: an fd or a number would be there that
 * nobody was told of.
 *
 * Return: 0 or a negative errno; -ENOTTY when there is no such command.
 */
long dmabed_ioctl_run(const struct dmabed_ioctl *table, unsigned int entries,
		      void *context, unsigned int command, unsigned long user)
{
	const struct dmabed_ioctl *ioctl = find(table, entries, command);
	void __user *pointer = (void __user *)user;
	void *argument;
	u32 user_size;
	int ret;

	if (!ioctl)
		return -ENOTTY;
	if (get_user(user_size, (u32 __user *)pointer) ||
	    fault_in_safe_writeable(pointer, min(user_size, ioctl->size)))
		return -EFAULT;
	argument = copy_in(ioctl, pointer, user_size);
	if (IS_ERR(argument))
		return PTR_ERR(argument);

	ret = ioctl->run(context, argument);
	/* the size stays the caller's */
	*(u32 *)argument = user_size;
	if ((!ret || ret == -ENOSPC) &&
	    copy_to_user(pointer, argument, min(user_size, ioctl->size)))
		ret = -EFAULT;
	kfree(argument);
	return ret;
}
EXPORT_SYMBOL_GPL(dmabed_ioctl_run);
