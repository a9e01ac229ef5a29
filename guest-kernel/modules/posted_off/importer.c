// SPDX-License-Identifier: GPL-2.0-or-later
/* The same source, with the framework left out. */
#define DMABED_POSTED_OFF
#include "../posted/importer.c"
