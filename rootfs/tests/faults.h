/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the kernel's allocations and copies fail one after the other:
 * Documentation/fault-injection/fault-injection.rst, "fail-nth".
 */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

struct fallible {
	/* As a system call: -1 and errno. */
	int (*attempt)(void *context);
	/* Takes a success back; may be absent. */
	void (*undo)(void *context, int result);
	void *context;
};

/*
 * Tries again and again, with the first fault, the second and so on, until there
 * are no more.  Each time it either succeeds all the same, or says that memory or
 * a copy failed and keeps no fd.  Skips when the kernel cannot inject faults.
 */
void fail_each(const struct fallible *fallible);

#endif
