// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starts the programs that stay, starts them again when they end, reaps what
 * is orphaned, and takes the signals by which busybox's halt, poweroff and
 * reboot speak to process 1.
 */
#include "init.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS 12
#define RESPAWN_NS 200000000L /* so that a program that always fails does not eat the CPU */

struct service {
	const char *argv[MAX_WORDS];
	const char *cmdline_word; /* only when the kernel command line has it */
	const char *needs; /* only when this file is there */
	const char *oom_score_adj;
	bool on_console; /* a session of its own with the console as terminal */
	bool once;
	pid_t pid;
};

static struct service services[] = {
	{
		/* first: the harness waits for it */
		.argv = { "/usr/bin/dmabed-agent", "--port", "dmabed.agent" },
		.needs = "/usr/bin/dmabed-agent",
		/* scenarios exhaust memory; the agent must live to tell of it */
		.oom_score_adj = "-1000",
	},
	{
		/* -F foreground, -E log to stderr, -s keys only, -j -k no forwarding */
		.argv = { "/usr/sbin/dropbear", "-F", "-E", "-s", "-j", "-k",
			  "-r", "/etc/dropbear/dropbear_ed25519_host_key" },
		.needs = "/etc/dropbear/dropbear_ed25519_host_key",
	},
	{
		.argv = { "/bin/sh", "-l" },
		.cmdline_word = "dmabed.shell",
		.on_console = true,
	},
	{
		/* hooks of users' overlays */
		.argv = { "/bin/run-parts", "/etc/dmabed/init.d" },
		.needs = "/etc/dmabed/init.d",
		.once = true,
	},
};

#define NR_SERVICES (sizeof(services) / sizeof(services[0]))

static const char *const environment[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
	"TERM=vt100",
	NULL,
};

static sigset_t handled_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1); /* halt */
	sigaddset(&set, SIGUSR2); /* poweroff */
	sigaddset(&set, SIGTERM); /* reboot */
	return set;
}

void services_block_signals(void)
{
	sigset_t set = handled_signals();

	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void set_oom_score_adj(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, score, strlen(score)) < 0)
		say_errno("oom_score_adj");
	close(fd);
}

static void take_console(void)
{
	int fd;

	setsid();
	fd = open("/dev/console", O_RDWR);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	/* /dev/console itself can't be a controlling terminal, what is behind it can */
	ioctl(fd, TIOCSCTTY, 1);
}

static _Noreturn void become(const struct service *service)
{
	sigset_t set = handled_signals();

	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (service->oom_score_adj)
		set_oom_score_adj(service->oom_score_adj);
	if (service->on_console)
		take_console();
	else
		setsid();
	execve(service->argv[0], (char *const *)service->argv, (char *const *)environment);
	say_errno(service->argv[0]);
	_exit(127);
}

static bool wanted(const struct service *service)
{
	if (service->cmdline_word && !cmdline_has(service->cmdline_word))
		return false;
	return !service->needs || access(service->needs, F_OK) == 0;
}

static void start(struct service *service)
{
	service->pid = fork();
	if (service->pid == 0)
		become(service);
	if (service->pid < 0)
		say_errno("fork");
}

void services_start(void)
{
	for (size_t i = 0; i < NR_SERVICES; i++)
		if (wanted(&services[i]))
			start(&services[i]);
}

static void start_again(struct service *service, int status)
{
	const struct timespec pause = { .tv_nsec = RESPAWN_NS };

	service->pid = 0;
	if (service->once)
		return;
	say("%s ended (%s %d), starting it again", service->argv[0],
	    WIFSIGNALED(status) ? "signal" : "status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	nanosleep(&pause, NULL);
	start(service);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < NR_SERVICES; i++)
			if (services[i].pid == pid)
				start_again(&services[i], status);
}

void services_run(void)
{
	sigset_t set = handled_signals();

	for (;;) {
		int number = 0;

		sigwait(&set, &number);
		switch (number) {
		case SIGCHLD:
			reap();
			break;
		case SIGUSR1:
			power(RB_HALT_SYSTEM);
			break;
		case SIGUSR2:
			power(RB_POWER_OFF);
			break;
		case SIGTERM:
			power(RB_AUTOBOOT);
			break;
		}
	}
}
