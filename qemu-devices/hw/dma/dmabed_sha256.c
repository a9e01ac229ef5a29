/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 (FIPS 180-4) whose state is plain data.  Names and section numbers
 * are those of the standard.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "hw/dma/dmabed_sha256.h"

#define ROUNDS 64

/* 4.2.2: cube roots of the first 64 primes, first 32 bits of the fraction */
static const uint32_t K[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
    0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
    0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* 5.3.3: square roots of the first 8 primes */
static const uint32_t H0[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* 4.1.2 */
#define CH(x, y, z) (((x) & (y)) ^ (~(x) & (z)))
#define MAJ(x, y, z) (((x) & (y)) ^ ((x) & (z)) ^ ((y) & (z)))
#define SUM0(x) (ror32(x, 2) ^ ror32(x, 13) ^ ror32(x, 22))
#define SUM1(x) (ror32(x, 6) ^ ror32(x, 11) ^ ror32(x, 25))
#define SIGMA0(x) (ror32(x, 7) ^ ror32(x, 18) ^ ((x) >> 3))
#define SIGMA1(x) (ror32(x, 17) ^ ror32(x, 19) ^ ((x) >> 10))

/* 6.2.2, step 1 */
static void schedule(uint32_t w[ROUNDS], const uint8_t *block)
{
    for (int t = 0; t < 16; t++) {
        w[t] = ldl_be_p(block + 4 * t);
    }
    for (int t = 16; t < ROUNDS; t++) {
        w[t] = SIGMA1(w[t - 2]) + w[t - 7] + SIGMA0(w[t - 15]) + w[t - 16];
    }
}

/* 6.2.2, steps 2 to 4 */
static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[ROUNDS];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    schedule(w, block);
    for (int t = 0; t < ROUNDS; t++) {
        uint32_t t1 = h + SUM1(e) + CH(e, f, g) + K[t] + w[t];
        uint32_t t2 = SUM0(a) + MAJ(a, b, c);

        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

void dmabed_sha256_init(DmabedSha256 *sha)
{
    memset(sha, 0, sizeof(*sha));
    memcpy(sha->state, H0, sizeof(sha->state));
}

void dmabed_sha256_update(DmabedSha256 *sha, const uint8_t *data, size_t size)
{
    size_t filled = sha->length % DMABED_SHA256_BLOCK;

    sha->length += size;
    if (filled) {
        size_t part = MIN(size, DMABED_SHA256_BLOCK - filled);

        memcpy(sha->block + filled, data, part);
        if (filled + part < DMABED_SHA256_BLOCK) {
            return;
        }
        compress(sha->state, sha->block);
        data += part;
        size -= part;
    }
    for (; size >= DMABED_SHA256_BLOCK; size -= DMABED_SHA256_BLOCK) {
        compress(sha->state, data);
        data += DMABED_SHA256_BLOCK;
    }
    memcpy(sha->block, data, size);
}

/* 5.1.1: a one, zeros, and the length in bits at the end of a block */
void dmabed_sha256_digest(const DmabedSha256 *sha,
                          uint8_t digest[DMABED_SHA256_SIZE])
{
    DmabedSha256 end = *sha;
    uint8_t padding[2 * DMABED_SHA256_BLOCK] = { 0x80 };
    size_t filled = sha->length % DMABED_SHA256_BLOCK;
    size_t size = DMABED_SHA256_BLOCK - filled;

    if (size < 1 + sizeof(uint64_t)) {
        size += DMABED_SHA256_BLOCK;
    }
    stq_be_p(padding + size - sizeof(uint64_t), sha->length * 8);
    dmabed_sha256_update(&end, padding, size);
    for (int i = 0; i < 8; i++) {
        stl_be_p(digest + 4 * i, end.state[i]);
    }
}

const VMStateDescription vmstate_dmabed_sha256 = {
    .name = "dmabed-sha256",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_ARRAY(state, DmabedSha256, 8),
        VMSTATE_UINT64(length, DmabedSha256),
        VMSTATE_UINT8_ARRAY(block, DmabedSha256, DMABED_SHA256_BLOCK),
        VMSTATE_END_OF_LIST()
    }
};
