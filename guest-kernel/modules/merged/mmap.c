// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The exporter's own way to user space: mmap of its device file.  The framework
 * has none, and knows nothing of this one.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <uapi/dmabed_generations.h>

#include "merged/merged.h"

/**
 * merged_run_select - DMABED_IOC_SELECT
 * @context: the open file
 * @argument: struct dmabed_select
 */
int merged_run_select(void *context, void *argument)
{
	const struct dmabed_select *request = argument;
	struct merged_client *client = context;
	struct merged_buf *buf = NULL;

	if (request->flags || request->reserved || request->fd < -1)
		return -EINVAL;
	if (request->fd >= 0)
		buf = merged_buf_get(request->fd);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	if (buf && !merged_buffer_of(buf)) {
		merged_buf_put(buf);
		return -EOPNOTSUPP;
	}
	mutex_lock(&client->lock);
	swap(client->selected, buf);
	mutex_unlock(&client->lock);
	merged_buf_put(buf);
	return 0;
}

/* ---- mappings; the file of each is the buffer's, which keeps it ---- */

static vm_fault_t buffer_fault(struct vm_fault *vmf)
{
	struct merged_buf *buf = vmf->vma->vm_private_data;
	struct merged_buffer *buffer = merged_buffer_of(buf);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (vmf->pgoff >= buffer->backing.nr_pages)
		return VM_FAULT_SIGBUS;
	if (mutex_lock_interruptible(&buf->lock))
		return VM_FAULT_NOPAGE;
	if (!merged_buffer_place(buffer, NULL))
		ret = dmabed_storage_fault(buffer->backing.storage, vmf,
					   vmf->pgoff);
	mutex_unlock(&buf->lock);
	return ret;
}

static const struct vm_operations_struct buffer_vm_ops = {
	.fault = buffer_fault,
};

static bool within(const struct merged_buf *buf, struct vm_area_struct *vma)
{
	u64 pages = PAGE_ALIGN(buf->size) >> PAGE_SHIFT;

	return vma->vm_pgoff <= pages &&
	       vma_pages(vma) <= pages - vma->vm_pgoff &&
	       vma->vm_flags & (VM_SHARED | VM_MAYSHARE);
}

static int map_locked(struct merged_client *client, struct vm_area_struct *vma)
{
	struct merged_buf *buf = client->selected;

	if (!buf)
		return -EBADF;
	if (!within(buf, vma))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &buffer_vm_ops;
	vma->vm_private_data = buf;
	vma_set_file(vma, buf->file);
	return 0;
}

/**
 * merged_mmap - map the selected buffer into a process
 * @client: the open file
 * @vma: the mapping
 *
 * Return: 0; -EBADF without a buffer; -EINVAL beyond its end, or for a private
 * mapping.
 */
int merged_mmap(struct merged_client *client, struct vm_area_struct *vma)
{
	int ret;

	mutex_lock(&client->lock);
	ret = map_locked(client, vma);
	mutex_unlock(&client->lock);
	return ret;
}

/**
 * merged_zap - the next access of each process faults
 * @buffer: the buffer, locked
 */
void merged_zap(struct merged_buffer *buffer)
{
	lockdep_assert_held(&buffer->buf->lock);
	unmap_mapping_range(buffer->buf->file->f_mapping, 0, 0, 1);
}
