/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver of the dmabed DMA engine for its qtests: what the guest's driver
 * does, in a few calls, and the host's view of it over QMP.
 */
#ifndef TESTS_DMABED_ENGINE_UTIL_H
#define TESTS_DMABED_ENGINE_UTIL_H

#include "libqtest.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "standard-headers/linux/dmabed_engine_regs.h"

#define ENGINE_PATH "/machine/peripheral/codec"
#define ENGINE_BASE 0x38300000ULL
#define ENGINE_SPI 64

/* The test machine: one bank of RAM, and what lies where in it */
#define RAM_BASE 0x40000000ULL
#define RAM_SIZE 0x08000000ULL
#define RING_AT (RAM_BASE + 0x10000)
#define COMP_AT (RAM_BASE + 0x20000)
#define SRC_LIST_AT (RAM_BASE + 0x100000)
#define DST_LIST_AT (RAM_BASE + 0x300000)
#define DATA_AT (RAM_BASE + 0x1000000)
#define OTHER_AT (RAM_BASE + 0x2000000)
#define RING_ENTRIES 8

/* PCI Express of the test machine: the low window has ENGINE_BASE in it */
#define ECAM_BASE 0x3e000000ULL
#define LOW_MMIO 0x38000000ULL
#define HIGH_MMIO 0x8000000000ULL
/* Where the devices are: an engine on the root bus, and a port for another */
#define ENGINE_SLOT 1
#define PORT_SLOT 2
#define PORT_BUS 1

typedef struct Rig {
    QTestState *qts;
    char *arguments;            /* what it was started with */
    unsigned head;
    uint64_t irq_enable;
} Rig;

typedef struct Segment {
    uint64_t address;
    uint64_t length;
} Segment;

/* A job; lists are written only if they have segments */
typedef struct Job {
    uint32_t op;
    uint32_t flags;
    uint64_t cookie;
    uint64_t seed;
    uint64_t length;
    uint64_t pattern_offset;
    unsigned num_src;
    unsigned num_dst;
    Segment src[4];
    Segment dst[4];
} Job;

typedef struct Completion {
    uint64_t cookie;
    uint32_t status;
    uint32_t violations;
    uint64_t bytes;
    uint64_t mismatch;
    char sha256[65];
} Completion;

/* ---- life; @properties are JSON members like "'addr-bits':32" ---- */

Rig *rig_start(const char *properties);
/* ... with more arguments, as they stand on a command line */
Rig *rig_start_beside(const char *properties, const char *others);
/* ... with arguments before the engine, which names what they make */
Rig *rig_start_behind(const char *others, const char *properties);
/* A machine with PCI Express, and the engine there */
Rig *rig_start_pci(const char *properties);
/* ... with an empty port, for an engine to be plugged in */
Rig *rig_start_port(void);
void rig_stop(Rig *rig);
/*
 * QEMU stops with @message when it is started with @machine and @devices, which
 * are JSON with ' for ", the last one NULL
 */
void assert_no_start(const char *machine, const char *const *devices,
                     const char *message);
/* Save to a file, end, and go on in a new process */
void rig_migrate(Rig *rig);
/* Enable the ring as a driver would */
void rig_enable(Rig *rig);

/* ---- the guest's side ---- */

uint32_t reg_read(Rig *rig, uint64_t offset);
void reg_write(Rig *rig, uint64_t offset, uint32_t value);

/* Configuration space of PCI Express */
uint64_t pci_at(unsigned bus, unsigned slot, unsigned offset);
/* What a driver does first: BARs, memory and bus mastering on */
void pci_enable(Rig *rig, unsigned bus, unsigned slot);

/* Write the job into the ring, without the doorbell */
unsigned job_write(Rig *rig, const Job *job);
/* ... with it.  Returns the index in the ring */
unsigned job_submit(Rig *rig, const Job *job);
Completion completion_read(Rig *rig, unsigned index);
/* Let time pass until the job has ended; fails the test if it does not */
Completion job_wait(Rig *rig, unsigned index);
Completion job_run(Rig *rig, const Job *job);
/* Let time pass; the job may not end */
void job_does_not_end(Rig *rig, unsigned index);

/* ---- expectations ---- */

/* The pattern of FILL, computed again */
void pattern(uint8_t *data, size_t size, uint64_t seed, uint64_t offset);
void assert_sha_of(const char *sha256, const uint8_t *data, size_t size);
void assert_memory(Rig *rig, uint64_t address, const uint8_t *data,
                   size_t size);
void memory_pattern(Rig *rig, uint64_t address, size_t size, uint64_t seed);

/* ---- the host's side ---- */

QDict *evidence(Rig *rig);
QDict *engine_state(Rig *rig);
/* The last job of @evidence; it belongs to it */
QDict *last_job(QDict *evidence);
void assert_violation(QDict *job, unsigned index, const char *kind,
                      const char *list, unsigned segment);
void assert_span(QDict *job, const char *key, unsigned index, uint64_t bus,
                 uint64_t length);
/* The same of a list of the system's addresses */
void assert_place(QDict *job, const char *key, unsigned index,
                  uint64_t address, uint64_t length);
void hold(Rig *rig, uint64_t at);
void release(Rig *rig);
bool is_held(Rig *rig);
void inject(Rig *rig, const char *fault, uint64_t at);

/* ---- tests, by subject ---- */

void add_register_tests(void);
void add_job_tests(void);
void add_limit_tests(void);
void add_host_tests(void);
void add_local_tests(void);
void add_pci_tests(void);
void add_iommu_tests(void);
void add_media_tests(void);
void add_start_tests(void);
void add_migration_tests(void);

#endif /* TESTS_DMABED_ENGINE_UTIL_H */
