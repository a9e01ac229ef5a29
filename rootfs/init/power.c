// SPDX-License-Identifier: GPL-2.0-or-later
/* The end of the guest. */
#include "init.h"

#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

#define GRACE_US 100000 /* between the asking and the killing */

void power(int command)
{
	kill(-1, SIGTERM);
	usleep(GRACE_US);
	kill(-1, SIGKILL);
	sync();
	reboot(command);
	say_errno("reboot");
	for (;;)
		pause(); /* process 1 must not end: the kernel would panic */
}
