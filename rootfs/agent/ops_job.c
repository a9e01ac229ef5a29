// SPDX-License-Identifier: GPL-2.0-or-later
/* Jobs of the DMA engines. */
#include <dmabed.h>
#include <dmabed/engine_regs.h>
#include <errno.h>
#include <sys/ioctl.h>

#include "answer.h"
#include "base64.h"
#include "objects.h"
#include "ops.h"

#define NS_PER_MS 1000000

static const struct word operations[] = {
	{ "fill", DMABED_OP_CODE_FILL },
	{ "digest", DMABED_OP_CODE_DIGEST },
	{ "copy", DMABED_OP_CODE_COPY },
	{ "compare", DMABED_OP_CODE_COMPARE },
	{ 0 },
};

static const struct word usages[] = {
	{ "default", DMABED_USAGE_DEFAULT },
	{ "kernel", DMABED_USAGE_KERNEL },
	{ "write", DMABED_USAGE_WRITE },
	{ "read", DMABED_USAGE_READ },
	{ "bookkeep", DMABED_USAGE_BOOKKEEP },
	{ 0 },
};

static const struct word statuses[] = {
	{ "none", DMABED_COMP_NONE },
	{ "ok", DMABED_COMP_OK },
	{ "mismatch-found", DMABED_COMP_MISMATCH_FOUND },
	{ "bad-op", DMABED_COMP_BAD_OP },
	{ "bad-list", DMABED_COMP_BAD_LIST },
	{ "bad-length", DMABED_COMP_BAD_LENGTH },
	{ "seg-count", DMABED_COMP_SEG_COUNT },
	{ "seg-size", DMABED_COMP_SEG_SIZE },
	{ "seg-boundary", DMABED_COMP_SEG_BOUNDARY },
	{ "alignment", DMABED_COMP_ALIGNMENT },
	{ "granule", DMABED_COMP_GRANULE },
	{ "addr-width", DMABED_COMP_ADDR_WIDTH },
	{ "decode", DMABED_COMP_DECODE },
	{ 0 },
};

/* The two attachments of a job; either may be absent. */
struct ends {
	struct attachment *src;
	struct attachment *dst;
};

/* NULL, or the answer that names the buffer that is not attached. */
static json_t *find_end(const json_t *request, const char *key, struct attachment **end)
{
	const char *device = request_text(request, "device");
	const char *buffer = request_text(request, key);

	if (!buffer)
		return NULL;
	*end = attachment_get(device, buffer);
	if (*end)
		return NULL;
	return answer_protocol("'%s' is not attached to '%s'", device, buffer);
}

static void put_ends(struct ends *ends)
{
	if (ends->src)
		attachment_put(ends->src);
	if (ends->dst)
		attachment_put(ends->dst);
}

/* From the offset to the end of what is read or, for a fill, written. */
static uint64_t rest(const struct ends *ends, uint64_t src_offset, uint64_t dst_offset)
{
	const struct attachment *end = ends->src ? ends->src : ends->dst;
	uint64_t offset = ends->src ? src_offset : dst_offset;

	return end && end->length > offset ? end->length - offset : 0;
}

static uint32_t number_of(const struct attachment *end)
{
	return end ? end->number : DMABED_NO_ATTACHMENT;
}

/* The sync file that comes out becomes a fence of this name. */
static json_t *submitted(const struct dmabed_submit *submit, const char *fence)
{
	if (fence && !fence_add(fence, submit->fence_fd))
		return answer_protocol("fence '%s' is there already", fence);
	return answer_ok(json_pack("{s:I}", "job", (json_int_t)submit->job));
}

static json_t *submit(const json_t *request, const struct ends *ends, const struct device *device,
		      const struct buffer *in_fence)
{
	const char *out_fence = request_text(request, "out-fence");

	uint64_t src_offset = request_u64(request, "src-offset", 0);
	uint64_t dst_offset = request_u64(request, "dst-offset", 0);
	struct dmabed_submit submit = {
		.size = sizeof(submit),
		.flags = (in_fence ? DMABED_SUBMIT_IN_FENCE : 0) |
			 (out_fence ? DMABED_SUBMIT_OUT_FENCE : 0),
		.op = request_word(request, "operation", operations, 0),
		.src = number_of(ends->src),
		.dst = number_of(ends->dst),
		.seed = request_u64(request, "seed", 0),
		.src_offset = src_offset,
		.dst_offset = dst_offset,
		.length = request_u64(request, "length", rest(ends, src_offset, dst_offset)),
		.in_fence = in_fence ? in_fence->fd : 0,
		.usage = request_word(request, "usage", usages, DMABED_USAGE_DEFAULT),
	};

	if (ioctl(device->fd, DMABED_IOC_SUBMIT, &submit) != 0)
		return answer_errno(errno, "DMABED_IOC_SUBMIT");
	return submitted(&submit, out_fence);
}

static json_t *submit_to_device(const json_t *request, const struct ends *ends)
{
	struct device *device = device_get(request_text(request, "device"));
	const char *fence = request_text(request, "in-fence");
	struct buffer *in_fence = fence ? fence_get(fence) : NULL;
	json_t *answer;

	if (!device)
		answer = answer_errno(errno, "open");
	else if (fence && !in_fence)
		answer = answer_protocol("unknown fence '%s'", fence);
	else
		answer = submit(request, ends, device, in_fence);
	if (in_fence)
		buffer_put(in_fence);
	if (device)
		device_put(device);
	return answer;
}

static json_t *op_submit(const json_t *request)
{
	struct ends ends = { 0 };
	json_t *answer = find_end(request, "src", &ends.src);

	if (!answer)
		answer = find_end(request, "dst", &ends.dst);
	if (!answer)
		answer = submit_to_device(request, &ends);
	put_ends(&ends);
	return answer;
}

static json_t *status_json(uint32_t status)
{
	const char *name = word_of(statuses, status);

	return name ? json_string(name) : json_sprintf("unknown-%u", status);
}

/* The fence's error is 0 or a negative errno. */
static json_t *error_json(int32_t error)
{
	const char *name = errno_name(-error);

	if (error == 0)
		return json_null();
	return name ? json_string(name) : json_sprintf("%d", error);
}

static json_t *mismatch_json(uint64_t mismatch)
{
	return mismatch == UINT64_MAX ? json_null() : json_hex(mismatch);
}

static json_t *describe(const struct dmabed_wait *wait)
{
	char sha256[2 * sizeof(wait->sha256) + 1];

	hex_encode(wait->sha256, sizeof(wait->sha256), sha256);
	return json_pack("{s:o, s:o, s:o, s:o, s:s}", "status", status_json(wait->status), "error",
			 error_json(wait->error), "bytes", json_hex(wait->bytes), "mismatch",
			 mismatch_json(wait->mismatch), "sha256", sha256);
}

static json_t *op_wait(const json_t *request)
{
	struct device *device = device_get(request_text(request, "device"));
	struct dmabed_wait wait = {
		.size = sizeof(wait),
		.job = request_u64(request, "job", 0),
		.timeout_ns = request_ms(request, "timeout-ms", DEFAULT_TIMEOUT_MS) * NS_PER_MS,
	};
	int error;

	if (!device)
		return answer_errno(errno, "open");
	error = ioctl(device->fd, DMABED_IOC_WAIT, &wait) ? errno : 0;
	device_put(device);
	return error ? answer_errno(error, "DMABED_IOC_WAIT") : answer_ok(describe(&wait));
}

const struct op job_ops[] = {
	{ "submit", op_submit, false, { { "device", KEY_NAME, true, NULL },
					{ "operation", KEY_WORD, true, operations },
					{ "src", KEY_NAME, false, NULL },
					{ "dst", KEY_NAME, false, NULL },
					{ "seed", KEY_U64, false, NULL },
					{ "src-offset", KEY_U64, false, NULL },
					{ "dst-offset", KEY_U64, false, NULL },
					{ "length", KEY_U64, false, NULL },
					{ "in-fence", KEY_NAME, false, NULL },
					{ "out-fence", KEY_NAME, false, NULL },
					{ "usage", KEY_WORD, false, usages } } },
	{ "wait", op_wait, false, { { "device", KEY_NAME, true, NULL },
				    { "job", KEY_U64, true, NULL },
				    { "timeout-ms", KEY_MS, false, NULL } } },
	{ 0 },
};
