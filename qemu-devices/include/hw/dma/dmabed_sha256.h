/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 (FIPS 180-4) whose state is plain data.
 *
 * A DMA job in flight has hashed part of its bytes, and has to migrate.
 * QEMU's crypto API does not let the state of a digest out, so the engine
 * has its own.
 */
#ifndef HW_DMA_DMABED_SHA256_H
#define HW_DMA_DMABED_SHA256_H

#include "migration/vmstate.h"

#define DMABED_SHA256_SIZE 32
#define DMABED_SHA256_BLOCK 64

typedef struct DmabedSha256 {
    uint32_t state[8];
    uint64_t length;                        /* bytes hashed so far */
    uint8_t block[DMABED_SHA256_BLOCK];     /* the block being filled */
} DmabedSha256;

void dmabed_sha256_init(DmabedSha256 *sha);
void dmabed_sha256_update(DmabedSha256 *sha, const uint8_t *data, size_t size);

/* Leaves @sha as it is, so that the digest can be asked for at any time */
void dmabed_sha256_digest(const DmabedSha256 *sha,
                          uint8_t digest[DMABED_SHA256_SIZE]);

extern const VMStateDescription vmstate_dmabed_sha256;

#endif /* HW_DMA_DMABED_SHA256_H */
