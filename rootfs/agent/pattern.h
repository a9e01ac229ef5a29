/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's pattern of bytes: docs/specs/dmabed-engine.md, "Pattern". */
#ifndef AGENT_PATTERN_H
#define AGENT_PATTERN_H

#include <stddef.h>
#include <stdint.h>

/* The pattern's bytes from @offset on, a multiple of 8. */
void pattern_fill(uint8_t *bytes, size_t length, uint64_t seed, uint64_t offset);

#endif
