/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AGENT_PORT_H
#define AGENT_PORT_H

/* An fd of the virtio-serial port with this name, non-blocking. Waits for the port. */
int port_open(const char *name);

#endif
