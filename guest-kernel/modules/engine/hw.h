/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to the engine's registers; what they mean is in engine_regs.h.
 */
#ifndef DMABED_ENGINE_HW_H
#define DMABED_ENGINE_HW_H

#include <linux/io.h>
#include <linux/types.h>

/**
 * struct dmabed_hw_caps - what the hardware says of itself
 * @addr_bits: address width for data
 * @ring_bits: address width for the ring and lists
 * @max_segments: entries in one list
 * @alignment: start of each segment, bytes
 * @granule: length of each segment is a multiple of this, bytes
 * @ops: bit n: there is operation n
 * @max_seg_size: largest segment, bytes; all ones: no limit
 * @boundary: mask; no segment crosses a multiple of mask + 1
 * @local_size: bytes of its own memory
 * @local_base: bus address at which it reaches that itself
 */
struct dmabed_hw_caps {
	u32 addr_bits;
	u32 ring_bits;
	u32 max_segments;
	u32 alignment;
	u32 granule;
	u32 ops;
	u64 max_seg_size;
	u64 boundary;
	u64 local_size;
	u64 local_base;
};

bool dmabed_hw_present(void __iomem *regs);
void dmabed_hw_read_caps(void __iomem *regs, struct dmabed_hw_caps *caps);
void dmabed_hw_read_name(void __iomem *regs, char *name);
void dmabed_hw_reset(void __iomem *regs);
bool dmabed_hw_start(void __iomem *regs, u64 jobs, u64 completions,
		     u32 entries);
void dmabed_hw_doorbell(void __iomem *regs, u32 head);
u32 dmabed_hw_tail(void __iomem *regs);
u32 dmabed_hw_ack_irq(void __iomem *regs);
u32 dmabed_hw_error(void __iomem *regs);

#endif /* DMABED_ENGINE_HW_H */
