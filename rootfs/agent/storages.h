/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of requests for kinds of storage and for what an exporter can be told. */
#ifndef AGENT_STORAGES_H
#define AGENT_STORAGES_H

#include "request.h"

extern const struct word storages[];
extern const struct word storage_bits[]; /* the same names, as bits of a set */
extern const struct word export_flags[];

#endif
