/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Broken behaviours, one at a time and off by default, that the tests have to
 * see.  They are made in the thin layer of calls (calls.c) and in the runner.
 */
#ifndef TESTS_SABOTAGE_H
#define TESTS_SABOTAGE_H

#include <stdbool.h>

bool sabotage_choose(const char *name);
bool sabotaged(const char *name);
void sabotage_list(void);

#endif
