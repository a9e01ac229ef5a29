// SPDX-License-Identifier: GPL-2.0-or-later
#include "bus_error.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static _Thread_local sigjmp_buf *guard; /* NULL: an access outside of any guard */

static void on_bus_error(int number)
{
	if (guard)
		siglongjmp(*guard, 1);
	signal(number, SIG_DFL); /* the access is done again, and ends us */
}

void bus_error_init(void)
{
	struct sigaction action = { .sa_handler = on_bus_error };

	sigaction(SIGBUS, &action, NULL);
}

bool bus_error_guard(void (*work)(void *context), void *context)
{
	sigjmp_buf here;

	if (sigsetjmp(here, 1) != 0) {
		guard = NULL;
		return false;
	}
	guard = &here;
	work(context);
	guard = NULL;
	return true;
}
