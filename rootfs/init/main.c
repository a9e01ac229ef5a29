// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /init of the dmabed guest.  It does what the harness waits for in the order
 * in which it waits: devices, agent, SSH.
 */
#include "init.h"

#include <string.h>
#include <unistd.h>

static void set_hostname(void)
{
	const char *name = "dmabed";

	if (sethostname(name, strlen(name)) != 0)
		say_errno("hostname");
}

int main(void)
{
	services_block_signals();
	mount_all();
	let_dma_debug_speak();
	load_modules(); /* before the agent: its hello names the devices */
	network_up();
	set_hostname();
	services_start();
	services_run();
}
