// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access to the engine's registers.
 */
#include <linux/limits.h>
#include <linux/string.h>
#include <dmabed/engine_regs.h>

#include "hw.h"

#define VERSION_MAJOR(version) ((version) >> 16)

/* what a bus answers for a device that has been unplugged */
#define UNPLUGGED U32_MAX

static u64 read_pair(void __iomem *regs, u32 lo)
{
	return readl(regs + lo) | (u64)readl(regs + lo + 4) << 32;
}

static void write_pair(void __iomem *regs, u32 lo, u64 value)
{
	writel(lower_32_bits(value), regs + lo);
	writel(upper_32_bits(value), regs + lo + 4);
}

/**
 * dmabed_hw_present - is this an engine of a version that we know
 * @regs: the register block
 */
bool dmabed_hw_present(void __iomem *regs)
{
	return readl(regs + DMABED_REG_ID) == DMABED_ID_VALUE &&
	       VERSION_MAJOR(readl(regs + DMABED_REG_VERSION)) ==
	       VERSION_MAJOR(DMABED_VERSION_VALUE);
}

/**
 * dmabed_hw_read_caps - ask the hardware for its limits
 * @regs: the register block
 * @caps: filled in
 */
void dmabed_hw_read_caps(void __iomem *regs, struct dmabed_hw_caps *caps)
{
	caps->addr_bits = readl(regs + DMABED_REG_CAP_ADDR_BITS);
	caps->ring_bits = readl(regs + DMABED_REG_CAP_RING_BITS);
	caps->max_segments = readl(regs + DMABED_REG_CAP_MAX_SEGMENTS);
	caps->alignment = readl(regs + DMABED_REG_CAP_ALIGNMENT);
	caps->granule = readl(regs + DMABED_REG_CAP_GRANULE);
	caps->ops = readl(regs + DMABED_REG_CAP_OPS);
	caps->max_seg_size = read_pair(regs, DMABED_REG_CAP_SEG_SIZE_LO);
	caps->boundary = read_pair(regs, DMABED_REG_CAP_BOUNDARY_LO);
	caps->local_size = read_pair(regs, DMABED_REG_CAP_LOCAL_SIZE_LO);
	caps->local_base = read_pair(regs, DMABED_REG_CAP_LOCAL_BASE_LO);
}

/**
 * dmabed_hw_read_name - ask the hardware what it is called
 * @regs: the register block
 * @name: DMABED_NAME_SIZE bytes, filled in; ends with NUL
 */
void dmabed_hw_read_name(void __iomem *regs, char *name)
{
	unsigned int i;
	__le32 part;

	for (i = 0; i < DMABED_NAME_SIZE; i += sizeof(part)) {
		part = cpu_to_le32(readl(regs + DMABED_REG_NAME + i));
		memcpy(name + i, &part, sizeof(part));
	}
	name[DMABED_NAME_SIZE - 1] = '\0';
}

/**
 * dmabed_hw_reset - drop all jobs, without completions
 * @regs: the register block
 */
void dmabed_hw_reset(void __iomem *regs)
{
	writel(DMABED_CTRL_RESET, regs + DMABED_REG_CTRL);
}

/**
 * dmabed_hw_start - let the engine work on a ring
 * @regs: the register block, after a reset
 * @jobs: bus address of the jobs
 * @completions: bus address of the completions
 * @entries: entries of both
 *
 * Return: did the hardware take it.
 */
bool dmabed_hw_start(void __iomem *regs, u64 jobs, u64 completions,
		     u32 entries)
{
	write_pair(regs, DMABED_REG_RING_BASE_LO, jobs);
	write_pair(regs, DMABED_REG_COMP_BASE_LO, completions);
	writel(entries, regs + DMABED_REG_RING_ENTRIES);
	writel(DMABED_IRQ_DONE | DMABED_IRQ_ERROR,
	       regs + DMABED_REG_IRQ_ENABLE);
	writel(DMABED_CTRL_ENABLE, regs + DMABED_REG_CTRL);
	return readl(regs + DMABED_REG_CTRL) & DMABED_CTRL_ENABLE;
}

/**
 * dmabed_hw_doorbell - tell of new jobs
 * @regs: the register block
 * @head: index that will be filled next
 *
 * writel() orders it after the writes to the ring.
 */
void dmabed_hw_doorbell(void __iomem *regs, u32 head)
{
	writel(head, regs + DMABED_REG_RING_HEAD);
}

/**
 * dmabed_hw_tail - how far the engine is
 * @regs: the register block
 *
 * Completions before this index may be read after the call.  It is none of the
 * ring's when the device has been unplugged.
 */
u32 dmabed_hw_tail(void __iomem *regs)
{
	return readl(regs + DMABED_REG_RING_TAIL);
}

/**
 * dmabed_hw_ack_irq - take the causes of the interrupt
 * @regs: the register block
 *
 * Return: DMABED_IRQ_* bits, 0 when it was not ours.
 */
u32 dmabed_hw_ack_irq(void __iomem *regs)
{
	u32 status = readl(regs + DMABED_REG_IRQ_STATUS);

	if (status == UNPLUGGED)
		return 0;
	writel(status, regs + DMABED_REG_IRQ_STATUS);
	return status;
}

/**
 * dmabed_hw_error - why the ring stopped
 * @regs: the register block
 */
u32 dmabed_hw_error(void __iomem *regs)
{
	u32 error = readl(regs + DMABED_REG_ERROR);

	return error == UNPLUGGED ? DMABED_ERROR_NONE : error;
}
