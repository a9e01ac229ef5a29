// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CPU's ways to a buffer.
 */
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "exporter.h"

/* ---- brackets ---- */

/*
 * The framework waits for fences only after the exporter's part; what is
 * brought over before a job has ended would be stale.
 */
static int wait_for_jobs(struct dma_buf *dmabuf,
			 enum dma_data_direction direction)
{
	bool write = direction != DMA_FROM_DEVICE;
	long ret;

	ret = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write),
				    true, MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : 0;
}

/**
 * dmabed_begin_cpu_access - the CPU is going to look
 * @dmabuf: the buffer
 * @direction: DMA_FROM_DEVICE: reads; DMA_TO_DEVICE: writes
 */
int dmabed_begin_cpu_access(struct dma_buf *dmabuf,
			    enum dma_data_direction direction)
{
	int ret = wait_for_jobs(dmabuf, direction);

	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_FAIL_BEGIN))
		ret = -EIO;
	if (ret || dmabed_exporter_sabotaged(DMABED_EXPORTER_NO_BEGIN_SYNC))
		return ret;
	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;
	dmabed_sync_for_cpu(dmabuf->priv);
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

/**
 * dmabed_end_cpu_access - the CPU has done with it
 * @dmabuf: the buffer
 * @direction: as at the begin
 */
int dmabed_end_cpu_access(struct dma_buf *dmabuf,
			  enum dma_data_direction direction)
{
	int ret;

	/* a CPU that only read has nothing to show */
	if (direction == DMA_FROM_DEVICE ||
	    dmabed_exporter_sabotaged(DMABED_EXPORTER_NO_END_SYNC))
		return 0;
	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;
	dmabed_sync_for_device(dmabuf->priv);
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

/* ---- mmap ---- */

/*
 * A migration holds the lock for as long as a job takes: wait without the lock
 * of the address space, so that other threads can go on, and fault again.
 */
static vm_fault_t lock_for_fault(struct vm_fault *vmf, struct dma_buf *dmabuf)
{
	struct vm_area_struct *vma = vmf->vma;

	if (dma_resv_trylock(dmabuf->resv))
		return 0;
	if (!fault_flag_allow_retry_first(vmf->flags))
		return dma_resv_lock_interruptible(dmabuf->resv, NULL) ?
		       VM_FAULT_NOPAGE : 0;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;

	get_dma_buf(dmabuf);
	mmap_read_unlock(vma->vm_mm);
	if (!dma_resv_lock_interruptible(dmabuf->resv, NULL))
		dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
	return VM_FAULT_RETRY;
}

static vm_fault_t fault_locked(struct vm_fault *vmf,
			       struct dmabed_buffer *buffer)
{
	struct dmabed_backing *backing = &buffer->backing;
	pgoff_t index = vmf->pgoff;
	int ret;

	if (index >= backing->nr_pages)
		return VM_FAULT_SIGBUS;
	/*
	 * Not VM_FAULT_OOM where storage of the asked kind is not to be had: the
	 * machine has memory, so the fault would be tried for ever.
	 */
	ret = dmabed_backing_place(backing, NULL);
	if (ret)
		return ret == -EINTR || ret == -ERESTARTSYS ? VM_FAULT_NOPAGE :
							      VM_FAULT_SIGBUS;
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_WRONG_PAGE))
		index = (index + 1) % backing->nr_pages;
	return dmabed_storage_fault(backing->storage, vmf, index);
}

static vm_fault_t buffer_fault(struct vm_fault *vmf)
{
	struct dma_buf *dmabuf = vmf->vma->vm_private_data;
	vm_fault_t ret = lock_for_fault(vmf, dmabuf);

	if (ret)
		return ret;
	ret = fault_locked(vmf, dmabuf->priv);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static const struct vm_operations_struct buffer_vm_ops = {
	.fault = buffer_fault,
};

/**
 * dmabed_mmap - map into a process; pages come by fault, so that they can move
 * @dmabuf: the buffer, kept by the mapping's file
 * @vma: the mapping
 */
int dmabed_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	/*
	 * A private copy would not be shared memory. A shared mapping of a
	 * read-only file has lost VM_SHARED on the way here, and kept VM_MAYSHARE.
	 */
	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &buffer_vm_ops;
	vma->vm_private_data = dmabuf;
	return 0;
}

/**
 * dmabed_zap_cpu_mappings - the next access of each process faults
 * @buffer: the buffer; faults wait for its lock, which is held
 */
void dmabed_zap_cpu_mappings(struct dmabed_buffer *buffer)
{
	dma_resv_assert_held(buffer->dmabuf->resv);
	unmap_mapping_range(buffer->dmabuf->file->f_mapping, 0, 0, 1);
}

/* ---- vmap ---- */

static void *map_decoy(struct dmabed_buffer *buffer,
		       const struct dmabed_storage *storage)
{
	struct page *first = storage->pages[0];
	void *address;

	buffer->decoy = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!buffer->decoy)
		return NULL;
	storage->pages[0] = buffer->decoy;
	address = vmap(storage->pages, storage->nr_pages, VM_MAP, PAGE_KERNEL);
	storage->pages[0] = first;
	return address;
}

static void *map_pages(struct dmabed_buffer *buffer,
		       const struct dmabed_storage *storage)
{
	if (dmabed_exporter_sabotaged(DMABED_EXPORTER_WRONG_VMAP))
		return map_decoy(buffer, storage);
	return vmap(storage->pages, storage->nr_pages, VM_MAP, PAGE_KERNEL);
}

/* It is mapped as long as it is there. */
static int vmap_carveout(struct dmabed_buffer *buffer, struct iosys_map *map)
{
	struct dmabed_storage *storage = buffer->backing.storage;

	if (!storage->cpu)
		return -EOPNOTSUPP;
	buffer->vmapped = true;
	iosys_map_set_vaddr_iomem(map, storage->cpu);
	return 0;
}

/**
 * dmabed_vmap - map into the kernel; the framework counts
 * @dmabuf: the buffer
 * @map: filled in
 */
int dmabed_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dmabed_buffer *buffer = dmabuf->priv;
	struct dmabed_storage *storage;
	void *address;
	int ret;

	dma_resv_assert_held(dmabuf->resv);
	ret = dmabed_backing_place(&buffer->backing, NULL);
	if (ret)
		return ret;
	storage = buffer->backing.storage;
	if (storage->carveout)
		return vmap_carveout(buffer, map);
	address = map_pages(buffer, storage);
	if (!address)
		return -ENOMEM;
	buffer->vmapped = true;
	iosys_map_set_vaddr(map, address);
	return 0;
}

/**
 * dmabed_vunmap - the last user in the kernel has done with it
 * @dmabuf: the buffer
 * @map: as filled in
 */
void dmabed_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dmabed_buffer *buffer = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);
	if (!map->is_iomem)
		vunmap(map->vaddr);
	buffer->vmapped = false;
	if (buffer->decoy)
		__free_page(buffer->decoy);
	buffer->decoy = NULL;
}
