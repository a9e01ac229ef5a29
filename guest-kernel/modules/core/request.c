// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What user space asks exporters for, checked; the same for every generation.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "core.h"

#define HIGHEST_KIND DMABED_STORAGE_LOCAL
#define KNOWN_KINDS GENMASK(HIGHEST_KIND, DMABED_STORAGE_PAGES)

/* ---- export ---- */

/**
 * dmabed_length_sane - may a buffer be this long
 * @length: bytes
 */
bool dmabed_length_sane(u64 length)
{
	return length && length <= (u64)totalram_pages() / 2 << PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(dmabed_length_sane);

static bool source_sane(u32 kind, const char *source)
{
	bool wanted = kind == DMABED_STORAGE_POOL ||
		      kind == DMABED_STORAGE_LOCAL;

	return strnlen(source, DMABED_NAME_LEN) < DMABED_NAME_LEN &&
	       wanted == !!source[0];
}

static int check_place(const struct dmabed_place *place, u64 length)
{
	if (!dmabed_place_exists(place))
		return -ENOENT;
	if (place->kind < DMABED_STORAGE_AUTO || place->kind > HIGHEST_KIND)
		return -EINVAL;
	if (place->kind != DMABED_STORAGE_FIXED)
		return place->address ? -EINVAL : 0;
	if (!PAGE_ALIGNED(place->address) ||
	    place->address + length < place->address)
		return -EINVAL;
	return 0;
}

static int check_kind(const struct dmabed_export *request)
{
	struct dmabed_place place = {
		.kind = request->storage,
		.address = request->address,
	};

	if ((request->flags & DMABED_EXPORT_HIGH) &&
	    request->storage != DMABED_STORAGE_PAGES)
		return -EINVAL;
	if (!source_sane(request->storage, request->source) ||
	    request->allowed & ~KNOWN_KINDS)
		return -EINVAL;
	strscpy(place.source, request->source, sizeof(place.source));
	return check_place(&place, request->length);
}

/* Without an attach of the exporter's there is nobody to refuse one. */
static bool flags_contradict(u32 flags)
{
	const u32 both = DMABED_EXPORT_NO_LATE_ATTACH |
			 DMABED_EXPORT_NO_ATTACH_OPS;

	return (flags & both) == both;
}

/* Could any storage of this length keep to the buffer's own limits? */
static bool limits_sane(const struct dmabed_export *request)
{
	u64 each = min_not_zero(request->max_segment_size, request->length);

	if (request->alignment && !is_power_of_2(request->alignment))
		return false;
	if (request->highest && request->highest < request->length - 1)
		return false;
	return !request->max_segments ||
	       DIV64_U64_ROUND_UP(request->length, each) <=
	       request->max_segments;
}

/**
 * dmabed_check_export - is it a buffer that can be
 * @request: what user space asks for; its length becomes whole pages
 * @known_flags: DMABED_EXPORT_* that the generation has
 *
 * Return: 0; -EINVAL; -ENOENT when there is no such pool or engine.
 */
int dmabed_check_export(struct dmabed_export *request, u32 known_flags)
{
	if (request->flags & ~known_flags || flags_contradict(request->flags) ||
	    request->reserved || request->reserved2 ||
	    request->fd_flags & ~(O_CLOEXEC | O_ACCMODE))
		return -EINVAL;
	if (!dmabed_length_sane(request->length))
		return -EINVAL;
	request->length = PAGE_ALIGN(request->length);
	if (!limits_sane(request))
		return -EINVAL;
	return check_kind(request);
}
EXPORT_SYMBOL_GPL(dmabed_check_export);

/* ---- requests about a buffer ---- */

/* What dmabed_ioctl_run() carries through, which takes no pointer to const. */
struct context {
	const struct dmabed_requests *exporter;
};

static const struct dmabed_requests *exporter_of(const struct context *context)
{
	return context->exporter;
}

/* ---- migrate ---- */

static int place_of(const struct dmabed_migrate *request, u64 length,
		    struct dmabed_place *place)
{
	if (!source_sane(request->storage, request->source))
		return -EINVAL;
	place->kind = request->storage;
	place->address = request->address;
	strscpy(place->source, request->source, sizeof(place->source));
	return check_place(place, length);
}

static int run_migrate(void *context, void *argument)
{
	const struct dmabed_requests *exporter = exporter_of(context);
	const struct dmabed_migrate *request = argument;
	struct dmabed_backing *backing;
	struct dmabed_place place;
	int ret;

	if (request->flags)
		return -EINVAL;
	backing = exporter->get(request->fd);
	if (IS_ERR(backing))
		return PTR_ERR(backing);
	ret = place_of(request, (u64)backing->nr_pages << PAGE_SHIFT, &place);
	if (!ret)
		ret = exporter->migrate(backing, &place);
	exporter->put(backing);
	return ret;
}

/* ---- info ---- */

static int segments_to_user(const struct dmabed_buffer_info *info, u32 room,
			    const struct dmabed_segment *segments)
{
	if (!info->segments)
		return 0;
	if (info->nr_segments > room)
		return -ENOSPC;
	return copy_to_user(u64_to_user_ptr(info->segments), segments,
			    info->nr_segments * sizeof(*segments)) ?
	       -EFAULT : 0;
}

/* Nothing is copied to user space while the exporter's lock is held. */
static int fill_in(const struct dmabed_requests *exporter,
		   struct dmabed_backing *backing,
		   struct dmabed_buffer_info *info)
{
	struct dmabed_segment *segments = NULL;
	u32 room = 0;
	int ret;

	/* no buffer has more runs than pages */
	if (info->segments)
		room = min(info->nr_segments, backing->nr_pages);
	if (room) {
		segments = kvcalloc(room, sizeof(*segments), GFP_KERNEL);
		if (!segments)
			return -ENOMEM;
	}
	ret = exporter->info(backing, info, segments, room);
	if (!ret)
		ret = segments_to_user(info, room, segments);
	kvfree(segments);
	return ret;
}

static int run_info(void *context, void *argument)
{
	const struct dmabed_requests *exporter = exporter_of(context);
	struct dmabed_buffer_info *info = argument;
	struct dmabed_backing *backing;
	int ret;

	if (info->flags)
		return -EINVAL;
	backing = exporter->get(info->fd);
	if (IS_ERR(backing))
		return PTR_ERR(backing);
	ret = fill_in(exporter, backing, info);
	exporter->put(backing);
	return ret;
}

/* ---- statistics ---- */

static int run_stats(void *context, void *argument)
{
	const struct dmabed_requests *exporter = exporter_of(context);
	struct dmabed_stats *stats = argument;

	if (stats->flags)
		return -EINVAL;
	stats->buffers = dmabed_live_count(exporter->buffers);
	stats->attachments = dmabed_live_count(exporter->attachments);
	stats->mappings = dmabed_live_count(exporter->mappings);
	stats->pages = dmabed_live_count(DMABED_LIVE_PAGES);
	stats->jobs = dmabed_live_count(DMABED_LIVE_JOBS);
	stats->releases = exporter->releases();
	return 0;
}

/* ---- the ioctls ---- */

static const struct dmabed_ioctl ioctls[] = {
	{ _IOC_NR(DMABED_IOC_BUFFER_INFO), sizeof(struct dmabed_buffer_info),
	  run_info },
	{ _IOC_NR(DMABED_IOC_MIGRATE), sizeof(struct dmabed_migrate),
	  run_migrate },
	{ _IOC_NR(DMABED_IOC_STATS), sizeof(struct dmabed_stats), run_stats },
};

/**
 * dmabed_requests_ioctl - the ioctls that the device of every exporter has
 * @exporter: whose device it is
 * @command: as user space gave it
 * @user: the structure's address in user space
 *
 * BUFFER_INFO, MIGRATE and STATS.
 *
 * Return: as dmabed_ioctl_run(); as dmabed_check_export(); what the exporter
 * said.
 */
long dmabed_requests_ioctl(const struct dmabed_requests *exporter,
			   unsigned int command, unsigned long user)
{
	struct context context = { exporter };

	return dmabed_ioctl_run(ioctls, ARRAY_SIZE(ioctls), &context, command,
				user);
}
EXPORT_SYMBOL_GPL(dmabed_requests_ioctl);
