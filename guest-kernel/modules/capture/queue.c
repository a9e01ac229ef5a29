// SPDX-License-Identifier: GPL-2.0-or-later
/* The testbed's camera: buffers on their way through the hardware. */
#include <linux/dma-mapping.h>
#include <linux/pm_runtime.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-dma-sg.h>

#include "capture.h"

static struct capture_buffer *to_capture_buffer(struct vb2_buffer *vb)
{
	return container_of(to_vb2_v4l2_buffer(vb), struct capture_buffer, vb);
}

/* ---- the hardware's list ---- */

static unsigned int list_contiguous(struct capture_device *capture, struct vb2_buffer *vb)
{
	capture->segments[0].bus = cpu_to_le64(vb2_dma_contig_plane_dma_addr(vb, 0));
	capture->segments[0].length = cpu_to_le64(vb2_plane_size(vb, 0));
	return 1;
}

static unsigned int list_scattered(struct capture_device *capture, struct vb2_buffer *vb)
{
	struct sg_table *table = vb2_dma_sg_plane_desc(vb, 0);
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(table, sg, i) {
		capture->segments[i].bus = cpu_to_le64(sg_dma_address(sg));
		capture->segments[i].length = cpu_to_le64(sg_dma_len(sg));
	}
	return table->nents;
}

static void start_frame(struct capture_device *capture, struct capture_buffer *buffer)
{
	struct vb2_buffer *vb = &buffer->vb.vb2_buf;
	unsigned int count = capture->scatter ? list_scattered(capture, vb) :
						list_contiguous(capture, vb);

	capture->filling = buffer;
	capture_write(capture, DMABED_CAPTURE_LIST_LOW, lower_32_bits(capture->segments_bus));
	capture_write(capture, DMABED_CAPTURE_LIST_HIGH, upper_32_bits(capture->segments_bus));
	capture_write(capture, DMABED_CAPTURE_LIST_COUNT, count);
	/* writel() orders the list's bytes before it */
	capture_write(capture, DMABED_CAPTURE_START, 1);
}

static void start_next(struct capture_device *capture)
{
	struct capture_buffer *buffer;

	lockdep_assert_held(&capture->buffers_lock);
	buffer = list_first_entry_or_null(&capture->waiting, struct capture_buffer, node);
	if (buffer && !capture->filling) {
		list_del(&buffer->node);
		start_frame(capture, buffer);
	}
}

void capture_queue_frame_done(struct capture_device *capture, enum vb2_buffer_state state)
{
	struct capture_buffer *buffer;

	spin_lock(&capture->buffers_lock);
	buffer = capture->filling;
	capture->filling = NULL;
	if (buffer) {
		buffer->vb.vb2_buf.timestamp = ktime_get_ns();
		buffer->vb.sequence = capture->sequence++;
		buffer->vb.field = V4L2_FIELD_NONE;
		vb2_buffer_done(&buffer->vb.vb2_buf, state);
	}
	start_next(capture);
	spin_unlock(&capture->buffers_lock);
}

/* ---- vb2 ---- */

static int queue_setup(struct vb2_queue *queue, unsigned int *buffers, unsigned int *planes,
		       unsigned int sizes[], struct device *alloc_devs[])
{
	struct capture_device *capture = vb2_get_drv_priv(queue);
	unsigned int size = capture->format.sizeimage;

	if (*planes)
		return sizes[0] < size ? -EINVAL : 0;
	*planes = 1;
	sizes[0] = size;
	return 0;
}

static int buf_prepare(struct vb2_buffer *vb)
{
	struct capture_device *capture = vb2_get_drv_priv(vb->vb2_queue);
	unsigned int size = capture->format.sizeimage;

	if (vb2_plane_size(vb, 0) < size)
		return -EINVAL;
	if (capture->scatter && vb2_dma_sg_plane_desc(vb, 0)->nents > DMABED_CAPTURE_MAX_SEGMENTS)
		return -EINVAL;
	vb2_set_plane_payload(vb, 0, size);
	return 0;
}

static void buf_queue(struct vb2_buffer *vb)
{
	struct capture_device *capture = vb2_get_drv_priv(vb->vb2_queue);
	unsigned long flags;

	spin_lock_irqsave(&capture->buffers_lock, flags);
	list_add_tail(&to_capture_buffer(vb)->node, &capture->waiting);
	if (vb2_start_streaming_called(vb->vb2_queue))
		start_next(capture);
	spin_unlock_irqrestore(&capture->buffers_lock, flags);
}

static void give_back(struct capture_device *capture, enum vb2_buffer_state state)
{
	struct capture_buffer *buffer, *next;

	if (capture->filling)
		vb2_buffer_done(&capture->filling->vb.vb2_buf, state);
	capture->filling = NULL;
	list_for_each_entry_safe(buffer, next, &capture->waiting, node) {
		list_del(&buffer->node);
		vb2_buffer_done(&buffer->vb.vb2_buf, state);
	}
}

static void set_up(struct capture_device *capture)
{
	const struct v4l2_pix_format *format = &capture->format;
	bool rgb565 = format->pixelformat == V4L2_PIX_FMT_RGB565;

	capture_write(capture, DMABED_CAPTURE_FORMAT, rgb565 ? DMABED_CAPTURE_FORMAT_RGB565 :
							       DMABED_CAPTURE_FORMAT_XRGB8888);
	capture_write(capture, DMABED_CAPTURE_SIZE, format->height << 16 | format->width);
	capture_write(capture, DMABED_CAPTURE_PITCH, format->bytesperline);
	capture_write(capture, DMABED_CAPTURE_SEED, capture->seed);
	capture_write(capture, DMABED_CAPTURE_INT_ENABLE,
		      DMABED_CAPTURE_INT_DONE | DMABED_CAPTURE_INT_ERROR);
	capture_write(capture, DMABED_CAPTURE_CTRL, DMABED_CAPTURE_CTRL_ENABLE);
}

static int start_streaming(struct vb2_queue *queue, unsigned int count)
{
	struct capture_device *capture = vb2_get_drv_priv(queue);
	int error = pm_runtime_resume_and_get(capture->dev);

	spin_lock_irq(&capture->buffers_lock);
	if (error) {
		give_back(capture, VB2_BUF_STATE_QUEUED);
	} else {
		capture->sequence = 0;
		set_up(capture);
		start_next(capture);
	}
	spin_unlock_irq(&capture->buffers_lock);
	return error;
}

static void stop_streaming(struct vb2_queue *queue)
{
	struct capture_device *capture = vb2_get_drv_priv(queue);

	spin_lock_irq(&capture->buffers_lock);
	capture_write(capture, DMABED_CAPTURE_CTRL, 0);
	capture_write(capture, DMABED_CAPTURE_INT_ENABLE, 0);
	capture_write(capture, DMABED_CAPTURE_INT_STATUS,
		      DMABED_CAPTURE_INT_DONE | DMABED_CAPTURE_INT_ERROR);
	give_back(capture, VB2_BUF_STATE_ERROR);
	spin_unlock_irq(&capture->buffers_lock);
	pm_runtime_put(capture->dev);
}

static const struct vb2_ops capture_queue_ops = {
	.queue_setup = queue_setup,
	.buf_prepare = buf_prepare,
	.buf_queue = buf_queue,
	.start_streaming = start_streaming,
	.stop_streaming = stop_streaming,
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
};

void capture_queue_set_form(struct capture_device *capture, bool scatter)
{
	lockdep_assert_held(&capture->lock);
	capture->scatter = scatter;
	capture->queue.mem_ops = scatter ? &vb2_dma_sg_memops : &vb2_dma_contig_memops;
}

int capture_queue_init(struct capture_device *capture)
{
	struct vb2_queue *queue = &capture->queue;

	INIT_LIST_HEAD(&capture->waiting);
	spin_lock_init(&capture->buffers_lock);
	queue->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	queue->io_modes = VB2_MMAP | VB2_DMABUF;
	queue->drv_priv = capture;
	queue->buf_struct_size = sizeof(struct capture_buffer);
	queue->min_queued_buffers = 1;
	queue->ops = &capture_queue_ops;
	queue->mem_ops = &vb2_dma_contig_memops;
	queue->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	queue->lock = &capture->lock;
	queue->dev = capture->dev;
	return vb2_queue_init(queue);
}
