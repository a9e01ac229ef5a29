/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes over a Unix socket, and a file descriptor beside them (SCM_RIGHTS). */
#ifndef AGENT_RIGHTS_H
#define AGENT_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All of the bytes, and with the first of them @fd (-1: none). */
bool rights_send(int socket, const char *bytes, size_t length, int fd);

/* Like read(); *@fd is an fd that came with the bytes, or -1. */
ssize_t rights_receive(int socket, char *bytes, size_t size, int *fd);

#endif
