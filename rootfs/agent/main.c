// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dmabed-agent: the harness's hand in the guest.  This thread only reads;
 * others do the work, so that no request can make the agent deaf.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus_error.h"
#include "lines.h"
#include "protocol.h"
#include "threads.h"
#include "transport.h"

#define LAST_WORDS_MS 10000 /* for requests that run when the input ends */

static const struct line_handlers handlers = {
	.line = protocol_receive,
	.cancel = transport_begin_connection,
};

static struct lines lines;

static void serve(void)
{
	char bytes[65536];
	ssize_t got;

	while ((got = transport_read(bytes, sizeof(bytes))) >= 0) {
		if (got > 0) {
			lines_feed(&lines, bytes, (size_t)got, &handlers);
			continue;
		}
		lines_forget(&lines);
		if (!transport_reopens())
			break;
	}
}

static int usage(void)
{
	fputs("usage: dmabed-agent --stdio\n"
	      "       dmabed-agent --port NAME   a virtio-serial port\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--stdio") == 0)
		transport_use_stdio();
	else if (argc == 3 && strcmp(argv[1], "--port") == 0)
		transport_use_port(argv[2]);
	else if (argc == 2 && strcmp(argv[1], "--worker") == 0)
		transport_use_socket();
	else
		return usage();
	signal(SIGPIPE, SIG_IGN);
	bus_error_init();
	json_object_seed(1); /* no waiting for random numbers, and runs that repeat */
	serve();
	json_decref(threads_wait_idle(NULL, LAST_WORDS_MS));
	_Exit(EXIT_SUCCESS); /* threads may still be in the kernel */
}
