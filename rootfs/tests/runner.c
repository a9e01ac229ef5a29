// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The process around each test.
 *
 * Orphans of a test become children of the runner, and share the test's process
 * group, so that none outlives it.  What it held in the kernel has to be gone
 * afterwards, too.  The timeout is no part of any expectation: it only ends
 * what hangs.
 */
#include "runner.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "account.h"
#include "sabotage.h"

#define SABOTAGED_TIMEOUT_SECONDS 1

static char *skip_reason;
static unsigned int timeout_seconds;

char *runner_skip_reason(void)
{
	return skip_reason;
}

void runner_prepare(unsigned int seconds)
{
	timeout_seconds = sabotaged("hang") ? SABOTAGED_TIMEOUT_SECONDS : seconds;
	skip_reason = mmap(NULL, SKIP_REASON_LENGTH, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
		perror("dmabed-tests");
		exit(EXIT_FAILURE);
	}
	/* a reader that goes away must not end the runner silently */
	signal(SIGPIPE, SIG_IGN);
}

static void test_process(const struct chosen *chosen)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	if (sabotaged("crash"))
		raise(SIGSEGV);
	if (sabotaged("hang"))
		pause();
	if (chosen->exporter)
		chosen->test->run_on(chosen->exporter);
	else
		chosen->test->run();
	_exit(TEST_PASSED);
}

/* False when the process is still there after so many seconds. */
static bool ends_within(int pidfd, unsigned int seconds)
{
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };

	return poll(&wait, 1, (int)seconds * 1000) == 1;
}

static void kill_group(pid_t group)
{
	kill(-group, SIGKILL);
	while (waitpid(-group, NULL, 0) > 0)
		;
}

/* The wait status of the test, or -1 when it had to be killed. */
static int wait_for(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int status = -1;

	if (!ends_within(pidfd, timeout_seconds)) {
		say("did not end within %u seconds", timeout_seconds);
		kill(-pid, SIGKILL);
		if (!ends_within(pidfd, timeout_seconds)) {
			puts("Bail out! a test cannot be killed");
			exit(EXIT_FAILURE);
		}
		waitpid(pid, NULL, 0);
	} else {
		waitpid(pid, &status, 0);
	}
	close(pidfd);
	kill_group(pid);
	return status;
}

static int run_process(const struct chosen *chosen)
{
	pid_t pid = fork();

	if (pid < 0) {
		say("fork: %s", strerror(errno));
		return -1;
	}
	if (pid == 0)
		test_process(chosen);
	setpgid(pid, pid); /* whoever is first */
	return wait_for(pid);
}

static bool passed(int status)
{
	if (WIFEXITED(status) && status != -1)
		return WEXITSTATUS(status) == TEST_PASSED || WEXITSTATUS(status) == TEST_SKIPPED;
	if (status != -1 && WIFSIGNALED(status))
		say("ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return false;
}

bool runner_run(const struct chosen *chosen, unsigned int number)
{
	struct account before;
	int status;
	bool good;

	skip_reason[0] = '\0';
	account_take(&before);
	status = run_process(chosen);
	good = passed(status);
	if (!account_returns_to(&before))
		good = false;
	printf("%s %u %s%s%s\n", good ? "ok" : "not ok", number, chosen->name,
	       good && skip_reason[0] ? " # SKIP " : "", good ? skip_reason : "");
	return good;
}
