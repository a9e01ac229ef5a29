/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where requests come from and answers go to: standard input and output, or a
 * virtio-serial port.  A port outlives its connections: each time the host
 * opens it a new one begins, and answers to the last one's requests are
 * dropped.
 */
#ifndef AGENT_TRANSPORT_H
#define AGENT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

void transport_use_stdio(void);

/* Standard input is a socket, over which fds come and go. */
void transport_use_socket(void);

/* The oldest fd that came and was not yet taken, or -1. */
int transport_take_fd(void);

/* The next answer that this thread writes brings an fd along; it is closed then. */
void transport_send_fd(int fd);

/* Waits until there is a virtio-serial port of this name. */
void transport_use_port(const char *name);

/* The number of the present connection. */
unsigned int transport_connection(void);

/*
 * The host says that a connection begins here.  A close and a reopening in
 * quick succession, or a restored snapshot, go by unnoticed otherwise.
 */
void transport_begin_connection(void);

/*
 * Waits for bytes.  0: the connection ended; negative: so did the transport.
 * Only the reader calls this.
 */
ssize_t transport_read(char *bytes, size_t size);

/* Whether there can be another connection. */
bool transport_reopens(void);

/* Writes all of it, unless @connection is over. Any thread may call this. */
void transport_write(unsigned int connection, const char *bytes, size_t length);

#endif
