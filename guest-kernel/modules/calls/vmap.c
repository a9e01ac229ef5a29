// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Maps of a buffer into the kernel.
 */
#include <linux/dma-resv.h>

#include "calls.h"

static s64 count_map(struct dmabed_calls *calls, int ret,
		     const struct iosys_map *map)
{
	if (ret)
		return ret;
	calls->map = *map;
	calls->maps++;
	return 0;
}

/**
 * dmabed_call_vmap - dma_buf_vmap(), with the lock that it wants
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_vmap(struct dmabed_calls *calls, const u64 *args)
{
	struct iosys_map map;
	int ret = dma_resv_lock_interruptible(calls->dmabuf->resv, NULL);

	if (ret)
		return ret;
	ret = dma_buf_vmap(calls->dmabuf, &map);
	dma_resv_unlock(calls->dmabuf->resv);
	return count_map(calls, ret, &map);
}

/**
 * dmabed_call_vmap_unlocked - dma_buf_vmap_unlocked()
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_vmap_unlocked(struct dmabed_calls *calls, const u64 *args)
{
	struct iosys_map map;
	int ret = dma_buf_vmap_unlocked(calls->dmabuf, &map);

	return count_map(calls, ret, &map);
}

/**
 * dmabed_call_vunmap - dma_buf_vunmap(), with the lock that it wants
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_vunmap(struct dmabed_calls *calls, const u64 *args)
{
	int ret;

	if (!calls->maps)
		return -ENOENT;
	ret = dma_resv_lock_interruptible(calls->dmabuf->resv, NULL);
	if (ret)
		return ret;
	dma_buf_vunmap(calls->dmabuf, &calls->map);
	dma_resv_unlock(calls->dmabuf->resv);
	calls->maps--;
	return 0;
}

/**
 * dmabed_call_vunmap_unlocked - dma_buf_vunmap_unlocked()
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_vunmap_unlocked(struct dmabed_calls *calls, const u64 *args)
{
	if (!calls->maps)
		return -ENOENT;
	dma_buf_vunmap_unlocked(calls->dmabuf, &calls->map);
	calls->maps--;
	return 0;
}

/**
 * dmabed_calls_vunmap_all - end what the file has mapped
 * @calls: the file
 */
void dmabed_calls_vunmap_all(struct dmabed_calls *calls)
{
	while (calls->maps)
		dmabed_call_vunmap_unlocked(calls, NULL);
}

/* ---- bytes through the map ---- */

/* Word @index of the engines' pattern, see docs/specs/dmabed-engine.md. */
static u64 pattern(u64 seed, u64 index)
{
	u64 z = seed + (index + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/**
 * dmabed_call_vmap_fill - write the pattern to all of the buffer
 * @calls: the file
 * @args: the seed
 */
s64 dmabed_call_vmap_fill(struct dmabed_calls *calls, const u64 *args)
{
	__le64 word;
	u64 at;

	if (!calls->maps)
		return -ENOENT;
	for (at = 0; at < calls->dmabuf->size; at += sizeof(word)) {
		word = cpu_to_le64(pattern(args[0], at / sizeof(word)));
		iosys_map_memcpy_to(&calls->map, at, &word, sizeof(word));
	}
	return 0;
}

/**
 * dmabed_call_vmap_compare - look for the pattern in all of the buffer
 * @calls: the file
 * @args: the seed
 *
 * Return: where the first word is that differs, -1 when none does.
 */
s64 dmabed_call_vmap_compare(struct dmabed_calls *calls, const u64 *args)
{
	__le64 word;
	u64 at;

	if (!calls->maps)
		return -ENOENT;
	for (at = 0; at < calls->dmabuf->size; at += sizeof(word)) {
		iosys_map_memcpy_from(&word, &calls->map, at, sizeof(word));
		if (le64_to_cpu(word) != pattern(args[0], at / sizeof(word)))
			return at;
	}
	return -1;
}

/**
 * dmabed_call_vmap_is_iomem - has it to be accessed as a device's memory
 * @calls: the file
 * @args: none
 */
s64 dmabed_call_vmap_is_iomem(struct dmabed_calls *calls, const u64 *args)
{
	return calls->maps ? calls->map.is_iomem : -ENOENT;
}
