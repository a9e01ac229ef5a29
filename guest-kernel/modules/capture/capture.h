/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The testbed's camera: what its files share. */
#ifndef DMABED_CAPTURE_H
#define DMABED_CAPTURE_H

#include <linux/io.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/videobuf2-v4l2.h>

#include <dmabed/capture_regs.h>

/* An entry of the list that the hardware reads. */
struct capture_segment {
	__le64 bus;
	__le64 length;
};

struct capture_buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head node;
};

struct capture_device {
	struct device *dev;
	void __iomem *regs;
	struct v4l2_device v4l2_dev;
	struct video_device vdev;
	struct v4l2_ctrl_handler controls;
	struct vb2_queue queue;
	struct mutex lock;	/* of the video device and its queue */
	struct v4l2_pix_format format;
	u32 seed;
	bool scatter;		/* buffers are scatter lists */
	u32 sequence;

	spinlock_t buffers_lock;	/* of the two below */
	struct list_head waiting;
	struct capture_buffer *filling;

	struct capture_segment *segments;
	dma_addr_t segments_bus;
};

static inline void capture_write(struct capture_device *capture, u32 offset, u32 value)
{
	writel(value, capture->regs + offset);
}

static inline u32 capture_read(struct capture_device *capture, u32 offset)
{
	return readl(capture->regs + offset);
}

/* queue.c */
int capture_queue_init(struct capture_device *capture);
/* Chooses between one run of memory and scatter lists; no buffer may be there. */
void capture_queue_set_form(struct capture_device *capture, bool scatter);
/* The frame under way has ended. */
void capture_queue_frame_done(struct capture_device *capture, enum vb2_buffer_state state);

/* video.c */
int capture_video_register(struct capture_device *capture);
void capture_video_unregister(struct capture_device *capture);

#endif
