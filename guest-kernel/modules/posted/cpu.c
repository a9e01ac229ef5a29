// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CPU's way to a posted buffer: mmap of its file.
 */
#include <linux/mm.h>

#include "posted/posted.h"

static vm_fault_t fault_locked(struct vm_fault *vmf,
			       struct posted_buffer *buffer)
{
	struct dmabed_backing *backing = &buffer->backing;
	pgoff_t index = vmf->pgoff;

	/* not VM_FAULT_OOM: the machine has memory, only not of this kind */
	if (index >= backing->nr_pages || posted_buffer_place(buffer, NULL))
		return VM_FAULT_SIGBUS;
	if (posted_sabotaged(POSTED_WRONG_PAGE))
		index = (index + 1) % backing->nr_pages;
	return dmabed_storage_fault(backing->storage, vmf, index);
}

/* Nobody stalls with the lock held, so it is never held for long. */
static vm_fault_t buffer_fault(struct vm_fault *vmf)
{
	struct posted_buf *buf = vmf->vma->vm_private_data;
	vm_fault_t ret;

	if (mutex_lock_interruptible(&buf->lock))
		return VM_FAULT_NOPAGE;
	ret = fault_locked(vmf, buf->priv);
	mutex_unlock(&buf->lock);
	return ret;
}

static const struct vm_operations_struct buffer_vm_ops = {
	.fault = buffer_fault,
};

/**
 * posted_mmap - map into a process; pages come by fault, so that they can move
 * @buf: the buffer, kept by the mapping's file
 * @vma: the mapping, within the buffer
 *
 * Return: 0; -EINVAL for a private one, which would be no shared memory.
 */
int posted_mmap(struct posted_buf *buf, struct vm_area_struct *vma)
{
	/* a shared mapping of a read-only file has only VM_MAYSHARE left */
	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &buffer_vm_ops;
	vma->vm_private_data = buf;
	return 0;
}
