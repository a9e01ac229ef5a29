// SPDX-License-Identifier: GPL-2.0-or-later
/* The testbed's camera: the video device, its formats and controls. */
#include <linux/module.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>

#include "capture.h"

#define MIN_SIDE 8

/* Of the user class, where no driver of the kernel has any (v4l2-controls.h). */
#define CAPTURE_CID_SEED (V4L2_CID_USER_BASE | 0xdb00)

static bool scatter;
module_param(scatter, bool, 0644);
MODULE_PARM_DESC(scatter, "Take buffers as scatter lists, from the next first open on");

static const u32 formats[] = { V4L2_PIX_FMT_XBGR32, V4L2_PIX_FMT_RGB565 };

static int querycap(struct file *file, void *fh, struct v4l2_capability *cap)
{
	strscpy(cap->driver, "dmabed-capture", sizeof(cap->driver));
	strscpy(cap->card, "dmabed camera", sizeof(cap->card));
	return 0;
}

static int enum_fmt(struct file *file, void *fh, struct v4l2_fmtdesc *desc)
{
	if (desc->index >= ARRAY_SIZE(formats))
		return -EINVAL;
	desc->pixelformat = formats[desc->index];
	return 0;
}

static int g_fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	struct capture_device *capture = video_drvdata(file);

	f->fmt.pix = capture->format;
	return 0;
}

static void round_format(struct v4l2_pix_format *pix)
{
	if (pix->pixelformat != V4L2_PIX_FMT_RGB565)
		pix->pixelformat = V4L2_PIX_FMT_XBGR32;
	pix->width = clamp_t(u32, pix->width, MIN_SIDE, DMABED_CAPTURE_MAX_SIDE);
	pix->height = clamp_t(u32, pix->height, MIN_SIDE, DMABED_CAPTURE_MAX_SIDE);
	pix->bytesperline = pix->width * (pix->pixelformat == V4L2_PIX_FMT_RGB565 ? 2 : 4);
	pix->sizeimage = pix->bytesperline * pix->height;
	pix->field = V4L2_FIELD_NONE;
	pix->colorspace = V4L2_COLORSPACE_SRGB;
}

static int try_fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	round_format(&f->fmt.pix);
	return 0;
}

static int s_fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	struct capture_device *capture = video_drvdata(file);

	if (vb2_is_busy(&capture->queue))
		return -EBUSY;
	round_format(&f->fmt.pix);
	capture->format = f->fmt.pix;
	return 0;
}

static int enum_input(struct file *file, void *fh, struct v4l2_input *input)
{
	if (input->index)
		return -EINVAL;
	input->type = V4L2_INPUT_TYPE_CAMERA;
	strscpy(input->name, "test picture", sizeof(input->name));
	return 0;
}

static int g_input(struct file *file, void *fh, unsigned int *input)
{
	*input = 0;
	return 0;
}

static int s_input(struct file *file, void *fh, unsigned int input)
{
	return input ? -EINVAL : 0;
}

static const struct v4l2_ioctl_ops ioctl_ops = {
	.vidioc_querycap = querycap,
	.vidioc_enum_fmt_vid_cap = enum_fmt,
	.vidioc_g_fmt_vid_cap = g_fmt,
	.vidioc_try_fmt_vid_cap = try_fmt,
	.vidioc_s_fmt_vid_cap = s_fmt,
	.vidioc_enum_input = enum_input,
	.vidioc_g_input = g_input,
	.vidioc_s_input = s_input,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_create_bufs = vb2_ioctl_create_bufs,
	.vidioc_prepare_buf = vb2_ioctl_prepare_buf,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = vb2_ioctl_qbuf,
	.vidioc_dqbuf = vb2_ioctl_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
};

/* The first to open it gets the form that is wanted now: nobody has buffers yet. */
static int capture_open(struct file *file)
{
	struct capture_device *capture = video_drvdata(file);
	int error;

	mutex_lock(&capture->lock);
	error = v4l2_fh_open(file);
	if (!error && v4l2_fh_is_singular_file(file))
		capture_queue_set_form(capture, READ_ONCE(scatter));
	mutex_unlock(&capture->lock);
	return error;
}

static const struct v4l2_file_operations fops = {
	.owner = THIS_MODULE,
	.open = capture_open,
	.release = vb2_fop_release,
	.poll = vb2_fop_poll,
	.mmap = vb2_fop_mmap,
	.unlocked_ioctl = video_ioctl2,
};

/* ---- controls ---- */

static int s_ctrl(struct v4l2_ctrl *control)
{
	struct capture_device *capture = container_of(control->handler, struct capture_device,
						      controls);

	capture->seed = control->val;
	return 0;
}

static const struct v4l2_ctrl_ops ctrl_ops = { .s_ctrl = s_ctrl };

static const struct v4l2_ctrl_config seed_config = {
	.ops = &ctrl_ops,
	.id = CAPTURE_CID_SEED,
	.name = "Seed",
	.type = V4L2_CTRL_TYPE_INTEGER,
	.max = 255,
	.step = 1,
};

static int controls_init(struct capture_device *capture)
{
	v4l2_ctrl_handler_init(&capture->controls, 1);
	v4l2_ctrl_new_custom(&capture->controls, &seed_config, NULL);
	capture->v4l2_dev.ctrl_handler = &capture->controls;
	return capture->controls.error;
}

/* ---- the device ---- */

static void video_init(struct capture_device *capture)
{
	struct video_device *vdev = &capture->vdev;

	strscpy(vdev->name, "dmabed-capture", sizeof(vdev->name));
	vdev->v4l2_dev = &capture->v4l2_dev;
	vdev->fops = &fops;
	vdev->ioctl_ops = &ioctl_ops;
	vdev->queue = &capture->queue;
	vdev->lock = &capture->lock;
	vdev->release = video_device_release_empty;
	vdev->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	video_set_drvdata(vdev, capture);
}

int capture_video_register(struct capture_device *capture)
{
	int error;

	capture->format.width = 320;
	capture->format.height = 240;
	round_format(&capture->format);
	error = v4l2_device_register(capture->dev, &capture->v4l2_dev);
	if (error)
		return error;
	error = controls_init(capture) ?: capture_queue_init(capture);
	if (error)
		goto err_unregister;
	video_init(capture);
	error = video_register_device(&capture->vdev, VFL_TYPE_VIDEO, -1);
	if (error)
		goto err_unregister;
	return 0;

err_unregister:
	v4l2_ctrl_handler_free(&capture->controls);
	v4l2_device_unregister(&capture->v4l2_dev);
	return error;
}

void capture_video_unregister(struct capture_device *capture)
{
	vb2_video_unregister_device(&capture->vdev);
	v4l2_ctrl_handler_free(&capture->controls);
	v4l2_device_unregister(&capture->v4l2_dev);
}
