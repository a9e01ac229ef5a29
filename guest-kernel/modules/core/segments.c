// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of segments within the limits of a device.
 *
 * Runs that follow each other on the bus are joined first; the joined run is
 * then cut at boundaries and at the largest size.  The same code tells whether
 * storage suits a device (fit.c) and writes the list that its engine reads, so
 * that the two cannot disagree.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>

#include "core.h"

/* The largest cut that leaves the next segment aligned and this one whole. */
static u64 cut_size(const struct dmabed_list_limits *limits)
{
	u64 unit = max(limits->alignment, limits->granule);

	return limits->max_size < unit ? limits->max_size :
	       ALIGN_DOWN(limits->max_size, unit);
}

static u64 bytes_to_boundary(const struct dmabed_list_limits *limits,
			     u64 address)
{
	u64 rest = limits->boundary - (address & limits->boundary);

	return rest == U64_MAX ? rest : rest + 1;
}

static int emit_one(struct dmabed_segments *s, u64 address, u64 length)
{
	if (!IS_ALIGNED(address, s->limits.alignment) ||
	    !IS_ALIGNED(length, s->limits.granule) ||
	    s->count == s->limits.max_segments)
		return -EINVAL;
	s->count++;
	return s->emit ? s->emit(s->context, address, length) : 0;
}

static int emit_run(struct dmabed_segments *s)
{
	u64 piece;
	int ret;

	while (s->length) {
		piece = min3(s->length, cut_size(&s->limits),
			     bytes_to_boundary(&s->limits, s->address));
		ret = emit_one(s, s->address, piece);
		if (ret)
			return ret;
		s->address += piece;
		s->length -= piece;
	}
	return 0;
}

/**
 * dmabed_segments_add - append a run of bytes
 * @s: with limits, emit and context set and all else 0 before the first call
 * @address: bus address
 * @length: bytes
 *
 * Return: 0, -EINVAL when the device takes no such list, or what emit said.
 */
int dmabed_segments_add(struct dmabed_segments *s, u64 address, u64 length)
{
	int ret;

	if (s->length && s->address + s->length == address) {
		s->length += length;
		return 0;
	}
	ret = emit_run(s);
	if (ret)
		return ret;
	s->address = address;
	s->length = length;
	return 0;
}
EXPORT_SYMBOL_GPL(dmabed_segments_add);

/**
 * dmabed_segments_finish - no more runs
 * @s: the list
 *
 * Return: as dmabed_segments_add(); the count is final after it.
 */
int dmabed_segments_finish(struct dmabed_segments *s)
{
	return emit_run(s);
}
EXPORT_SYMBOL_GPL(dmabed_segments_finish);
