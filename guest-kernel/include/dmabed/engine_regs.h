/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers and memory formats of the dmabed DMA engine.
 *
 * One file for both sides: the kernel driver includes it from here, and the
 * QEMU build imports it as standard-headers/linux/dmabed_engine_regs.h.  The
 * contract in words is docs/specs/dmabed-engine.md; offsets are bytes from the
 * start of the register block, every register is 32 bits wide, and everything
 * in memory is little-endian.
 */
#ifndef DMABED_ENGINE_REGS_H
#define DMABED_ENGINE_REGS_H

#define DMABED_ENGINE_MMIO_SIZE		0x1000

/*
 * The PCI front end.  QEMU's docs/specs/pci-ids.rst offers 1af4:10f0 to 10ff
 * for experiments, without registration.
 */
#define DMABED_PCI_VENDOR_ID		0x1af4
#define DMABED_PCI_DEVICE_ID		0x10f0
#define DMABED_PCI_BAR_REGS		0
#define DMABED_PCI_BAR_LOCAL		2	/* and 3: 64-bit prefetchable */

/* identification and control */
#define DMABED_REG_ID			0x000
#define DMABED_REG_VERSION		0x004
#define DMABED_REG_CTRL			0x008
#define DMABED_REG_STATUS		0x00c
#define DMABED_REG_IRQ_STATUS		0x010
#define DMABED_REG_IRQ_ENABLE		0x014
#define DMABED_REG_ERROR		0x018

#define DMABED_ID_VALUE			0x44424544	/* "DEBD" in memory */
#define DMABED_VERSION_VALUE		0x00010001	/* major 1, minor 1 */

#define DMABED_CTRL_ENABLE		0x00000001
#define DMABED_CTRL_RESET		0x00000002

#define DMABED_STATUS_BUSY		0x00000001
#define DMABED_STATUS_HELD		0x00000002

#define DMABED_IRQ_DONE			0x00000001
#define DMABED_IRQ_ERROR		0x00000002

/* values of DMABED_REG_ERROR: why the ring stopped */
#define DMABED_ERROR_NONE		0
#define DMABED_ERROR_RING_CONFIG	1
#define DMABED_ERROR_RING_INDEX		2
#define DMABED_ERROR_RING_FETCH		3
#define DMABED_ERROR_COMPLETION		4

/* what the hardware says of itself; a driver sets its masks from these */
#define DMABED_REG_CAP_ADDR_BITS	0x020
#define DMABED_REG_CAP_RING_BITS	0x024
#define DMABED_REG_CAP_MAX_SEGMENTS	0x028
#define DMABED_REG_CAP_ALIGNMENT	0x02c
#define DMABED_REG_CAP_GRANULE		0x030
#define DMABED_REG_CAP_OPS		0x034
#define DMABED_REG_CAP_SEG_SIZE_LO	0x038
#define DMABED_REG_CAP_SEG_SIZE_HI	0x03c
#define DMABED_REG_CAP_BOUNDARY_LO	0x040
#define DMABED_REG_CAP_BOUNDARY_HI	0x044
/* memory of the engine's own, since 1.1; bytes, 0: none */
#define DMABED_REG_CAP_LOCAL_SIZE_LO	0x048
#define DMABED_REG_CAP_LOCAL_SIZE_HI	0x04c
/* the bus address that the engine itself reaches it at */
#define DMABED_REG_CAP_LOCAL_BASE_LO	0x050
#define DMABED_REG_CAP_LOCAL_BASE_HI	0x054
/* what the engine is called, since 1.1: ASCII, zeros behind, 4 bytes each */
#define DMABED_REG_NAME			0x060
#define DMABED_NAME_SIZE		32

/* the ring of jobs and its completions */
#define DMABED_REG_RING_BASE_LO		0x080
#define DMABED_REG_RING_BASE_HI		0x084
#define DMABED_REG_COMP_BASE_LO		0x088
#define DMABED_REG_COMP_BASE_HI		0x08c
#define DMABED_REG_RING_ENTRIES		0x090
#define DMABED_REG_RING_HEAD		0x094
#define DMABED_REG_RING_TAIL		0x098

#define DMABED_RING_MIN_ENTRIES		2
#define DMABED_RING_MAX_ENTRIES		256

/* one job in the ring: 64 bytes */
#define DMABED_JOB_SIZE			64
#define DMABED_JOB_OP			0x00	/* u32, DMABED_OP_* */
#define DMABED_JOB_FLAGS		0x04	/* u32, DMABED_JOB_FLAG_* */
#define DMABED_JOB_COOKIE		0x08	/* u64, echoed in the completion */
#define DMABED_JOB_SEED			0x10	/* u64, pattern of FILL */
#define DMABED_JOB_LENGTH		0x18	/* u64, bytes to process */
#define DMABED_JOB_SRC_LIST		0x20	/* u64, bus address of segments */
#define DMABED_JOB_DST_LIST		0x28	/* u64, bus address of segments */
#define DMABED_JOB_SRC_SEGMENTS		0x30	/* u32, entries of the list */
#define DMABED_JOB_DST_SEGMENTS		0x34	/* u32, entries of the list */
#define DMABED_JOB_PATTERN_OFFSET	0x38	/* u64, first pattern word */

#define DMABED_JOB_FLAG_IRQ		0x00000001

#define DMABED_OP_FILL			1
#define DMABED_OP_DIGEST		2
#define DMABED_OP_COPY			3
#define DMABED_OP_COMPARE		4

/* one segment of a list: 16 bytes */
#define DMABED_SEGMENT_SIZE		16
#define DMABED_SEGMENT_ADDRESS		0x00	/* u64, bus address */
#define DMABED_SEGMENT_LENGTH		0x08	/* u64, bytes, not 0 */

#define DMABED_LIST_MAX_SEGMENTS	65536
#define DMABED_JOB_MAX_LENGTH		0x40000000

/* one completion: 64 bytes, at the same index as its job */
#define DMABED_COMP_SIZE		64
#define DMABED_COMP_COOKIE		0x00	/* u64 */
#define DMABED_COMP_STATUS		0x08	/* u32, DMABED_COMP_* below */
#define DMABED_COMP_VIOLATIONS		0x0c	/* u32, how many */
#define DMABED_COMP_BYTES		0x10	/* u64, bytes of the job done */
#define DMABED_COMP_MISMATCH		0x18	/* u64, first differing byte or ~0 */
#define DMABED_COMP_SHA256		0x20	/* u8[32] */

#define DMABED_COMP_NONE		0	/* the driver's "not done yet" */
#define DMABED_COMP_OK			1
#define DMABED_COMP_MISMATCH_FOUND	2
#define DMABED_COMP_BAD_OP		3
#define DMABED_COMP_BAD_LIST		4
#define DMABED_COMP_BAD_LENGTH		5
#define DMABED_COMP_SEG_COUNT		6
#define DMABED_COMP_SEG_SIZE		7
#define DMABED_COMP_SEG_BOUNDARY	8
#define DMABED_COMP_ALIGNMENT		9
#define DMABED_COMP_GRANULE		10
#define DMABED_COMP_ADDR_WIDTH		11
#define DMABED_COMP_DECODE		12

#endif /* DMABED_ENGINE_REGS_H */
