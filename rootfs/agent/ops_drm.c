// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Displays: dumb buffers and the legacy mode-setting calls of DRM, each with
 * one screen.  Nothing is kept here: what is shown, the kernel knows.
 */
#include <drm/drm.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "answer.h"
#include "nodes.h"
#include "objects.h"
#include "ops.h"

#define MAX_MODES 64

static const struct word formats[] = {
	{ "XR24", DRM_FORMAT_XRGB8888 },
	{ "RGBP", DRM_FORMAT_RGB565 }, /* V4L2's name for it */
	{ 0 },
};

static uint32_t pixel_bytes(uint32_t format)
{
	return format == DRM_FORMAT_RGB565 ? 2 : 4;
}

/* ---- with an open device ---- */

typedef json_t *drm_call(int fd, const json_t *request);

static json_t *with_drm(const json_t *request, drm_call *call)
{
	const char *name = request_text(request, "drm");
	struct buffer *drm = file_get(FILE_DRM, name);
	json_t *answer;

	if (!drm)
		return answer_protocol("unknown drm '%s'", name);
	answer = call(drm->fd, request);
	buffer_put(drm);
	return answer;
}

static bool is_driver(int fd, const char *wanted)
{
	char name[32] = { 0 };
	struct drm_version version = { .name_len = sizeof(name) - 1, .name = name };

	return ioctl(fd, DRM_IOCTL_VERSION, &version) == 0 && strcmp(name, wanted) == 0;
}

static json_t *op_open(const json_t *request)
{
	const char *name = request_text(request, "drm");
	int fd = node_open("/dev/dri", "card", request_text(request, "device"),
			   request_text(request, "driver") ?: "", is_driver);

	if (fd < 0)
		return answer_errno(errno, "open /dev/dri/card");
	if (!file_add(FILE_DRM, name, fd))
		return answer_protocol("drm '%s' is there already", name);
	return answer_ok(NULL);
}

static json_t *op_close(const json_t *request)
{
	const char *name = request_text(request, "drm");

	return file_close(FILE_DRM, name) ? answer_ok(NULL) :
					    answer_protocol("unknown drm '%s'", name);
}

static void close_handle(int fd, uint32_t handle)
{
	struct drm_gem_close close = { .handle = handle };

	ioctl(fd, DRM_IOCTL_GEM_CLOSE, &close);
}

/* ---- a buffer of the driver's own ---- */

static json_t *share_handle(int fd, uint32_t handle, const char *name)
{
	struct drm_prime_handle prime = { .handle = handle, .flags = DRM_CLOEXEC | DRM_RDWR };
	off_t length;

	if (ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) != 0)
		return answer_errno(errno, "DRM_IOCTL_PRIME_HANDLE_TO_FD");
	length = lseek(prime.fd, 0, SEEK_END);
	if (!buffer_add(name, prime.fd, length > 0 ? length : 0))
		return answer_protocol("buffer '%s' is there already", name);
	return answer_ok(json_pack("{s:o}", "length", json_hex(length > 0 ? length : 0)));
}

static json_t *create_dumb(int fd, const json_t *request)
{
	const char *name = request_text(request, "buffer");
	uint32_t format = request_word(request, "format", formats, DRM_FORMAT_XRGB8888);
	struct drm_mode_create_dumb dumb = {
		.width = request_u64(request, "width", 0),
		.height = request_u64(request, "height", 0),
		.bpp = 8 * pixel_bytes(format),
	};
	json_t *answer;

	if (!buffer_name_free(name))
		return answer_protocol("buffer '%s' is there already", name);
	if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb) != 0)
		return answer_errno(errno, "DRM_IOCTL_MODE_CREATE_DUMB");
	answer = share_handle(fd, dumb.handle, name);
	close_handle(fd, dumb.handle); /* the dma-buf keeps the memory */
	return answer;
}

static json_t *op_dumb(const json_t *request)
{
	return with_drm(request, create_dumb);
}

/* ---- a picture on the screen ---- */

struct screen {
	uint32_t crtc;
	uint32_t connector;
	struct drm_mode_modeinfo mode; /* the first of the connector */
	uint32_t shown; /* the framebuffer, 0: none */
};

static int find_screen(int fd, struct screen *screen)
{
	struct drm_mode_card_res resources = {
		.crtc_id_ptr = (uintptr_t)&screen->crtc,
		.connector_id_ptr = (uintptr_t)&screen->connector,
		.count_crtcs = 1,
		.count_connectors = 1,
	};
	struct drm_mode_modeinfo modes[MAX_MODES];
	struct drm_mode_get_connector connector = { 0 };
	struct drm_mode_crtc crtc = { 0 };

	memset(screen, 0, sizeof(*screen));
	if (ioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &resources) != 0)
		return errno;
	connector.connector_id = screen->connector;
	if (ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector) != 0) /* has the modes read */
		return errno;
	if (!connector.count_modes || connector.count_modes > MAX_MODES)
		return ENXIO;
	connector.modes_ptr = (uintptr_t)modes;
	connector.count_props = connector.count_encoders = 0;
	if (ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector) != 0)
		return errno;
	screen->mode = modes[0];
	crtc.crtc_id = screen->crtc;
	if (ioctl(fd, DRM_IOCTL_MODE_GETCRTC, &crtc) != 0)
		return errno;
	screen->shown = crtc.fb_id;
	return 0;
}

static int set_mode(int fd, const struct screen *screen, uint32_t framebuffer)
{
	struct drm_mode_crtc crtc = {
		.crtc_id = screen->crtc,
		.fb_id = framebuffer,
		.set_connectors_ptr = (uintptr_t)&screen->connector,
		.count_connectors = 1,
		.mode = screen->mode,
		.mode_valid = 1,
	};

	return ioctl(fd, DRM_IOCTL_MODE_SETCRTC, &crtc) ? errno : 0;
}

/* The event of a flip comes with the vertical blank that shows the picture. */
static int wait_for_flip(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char event[256];
	int ready = poll(&wait, 1, DEFAULT_TIMEOUT_MS);

	if (ready <= 0)
		return ready ? errno : ETIMEDOUT;
	return read(fd, event, sizeof(event)) < 0 ? errno : 0;
}

/*
 * An interrupt of the blank before the flip may still be under way and bring the
 * event: after one more blank the picture is shown for certain.
 */
static int wait_for_blank(int fd)
{
	union drm_wait_vblank wait = {
		.request = { .type = _DRM_VBLANK_RELATIVE, .sequence = 1 },
	};

	return ioctl(fd, DRM_IOCTL_WAIT_VBLANK, &wait) ? errno : 0;
}

static int flip(int fd, const struct screen *screen, uint32_t framebuffer)
{
	struct drm_mode_crtc_page_flip request = {
		.crtc_id = screen->crtc,
		.fb_id = framebuffer,
		.flags = DRM_MODE_PAGE_FLIP_EVENT,
	};
	int error = ioctl(fd, DRM_IOCTL_MODE_PAGE_FLIP, &request) ? errno : wait_for_flip(fd);
	uint32_t old = screen->shown;

	if (!error)
		error = wait_for_blank(fd);
	if (!error)
		ioctl(fd, DRM_IOCTL_MODE_RMFB, &old);
	return error;
}

static json_t *show_framebuffer(int fd, uint32_t framebuffer)
{
	struct screen screen;
	int error = find_screen(fd, &screen);

	if (error)
		return answer_errno(error, "finding a screen");
	if (screen.shown)
		error = flip(fd, &screen, framebuffer);
	else
		error = set_mode(fd, &screen, framebuffer);
	if (error) {
		ioctl(fd, DRM_IOCTL_MODE_RMFB, &framebuffer);
		return answer_errno(error, screen.shown ? "DRM_IOCTL_MODE_PAGE_FLIP" :
							  "DRM_IOCTL_MODE_SETCRTC");
	}
	return answer_ok(NULL);
}

static json_t *show_handle(int fd, uint32_t handle, const json_t *request)
{
	uint32_t format = request_word(request, "format", formats, DRM_FORMAT_XRGB8888);
	uint32_t width = request_u64(request, "width", 0);
	struct drm_mode_fb_cmd2 framebuffer = {
		.width = width,
		.height = request_u64(request, "height", 0),
		.pixel_format = format,
		.handles = { handle },
		.pitches = { width * pixel_bytes(format) },
	};

	if (ioctl(fd, DRM_IOCTL_MODE_ADDFB2, &framebuffer) != 0)
		return answer_errno(errno, "DRM_IOCTL_MODE_ADDFB2");
	return show_framebuffer(fd, framebuffer.fb_id);
}

static json_t *show(int fd, const json_t *request)
{
	const char *name = request_text(request, "buffer");
	struct drm_prime_handle prime = { 0 };
	struct buffer *buffer = buffer_get(name);
	json_t *answer;
	int error;

	if (!buffer)
		return answer_protocol("unknown buffer '%s'", name);
	prime.fd = buffer->fd;
	error = ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) ? errno : 0;
	buffer_put(buffer);
	if (error)
		return answer_errno(error, "DRM_IOCTL_PRIME_FD_TO_HANDLE");
	answer = show_handle(fd, prime.handle, request);
	close_handle(fd, prime.handle); /* the framebuffer keeps the memory */
	return answer;
}

static json_t *op_show(const json_t *request)
{
	return with_drm(request, show);
}

/* ---- checksums ---- */

/* A file of the CRTC's CRC directory, whose name has the device's minor number. */
static int open_crc(int fd, const char *name, int flags)
{
	char path[128];
	struct stat node;

	if (fstat(fd, &node) != 0)
		return -1;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/crtc-0/crc/%s",
		 minor(node.st_rdev), name);
	return open(path, flags | O_CLOEXEC);
}

static int choose_source(int fd)
{
	int control = open_crc(fd, "control", O_WRONLY);
	int error;

	if (control < 0)
		return errno;
	error = write(control, "auto", 4) < 0 ? errno : 0;
	close(control);
	return error;
}

/* The next frame's line: number and checksums, all in hexadecimal. */
static json_t *read_crc(int fd, const json_t *request)
{
	unsigned int frame, crc;
	char line[128] = { 0 };
	int error = choose_source(fd), data;
	ssize_t got;

	(void)request;
	if (error)
		return answer_errno(error, "crc/control");
	data = open_crc(fd, "data", O_RDONLY);
	if (data < 0)
		return answer_errno(errno, "crc/data");
	got = read(data, line, sizeof(line) - 1);
	error = got < 0 ? errno : 0;
	close(data);
	if (error || sscanf(line, "%x %x", &frame, &crc) != 2)
		return answer_errno(error ?: EIO, "crc/data");
	return answer_ok(json_pack("{s:o}", "crc", json_hex(crc)));
}

static json_t *op_crc(const json_t *request)
{
	return with_drm(request, read_crc);
}

#define DRM_KEY { "drm", KEY_NAME, true, NULL }
#define PICTURE_KEYS \
	{ "buffer", KEY_NAME, true, NULL }, { "width", KEY_U64, true, NULL }, \
	{ "height", KEY_U64, true, NULL }, { "format", KEY_WORD, false, formats }

const struct op drm_ops[] = {
	{ "drm-open", op_open, false, { DRM_KEY, { "device", KEY_NAME, false, NULL },
					{ "driver", KEY_NAME, false, NULL } } },
	{ "drm-close", op_close, false, { DRM_KEY } },
	{ "drm-buffer", op_dumb, false, { DRM_KEY, PICTURE_KEYS } },
	{ "drm-show", op_show, false, { DRM_KEY, PICTURE_KEYS } },
	{ "drm-crc", op_crc, false, { DRM_KEY } },
	{ 0 },
};
