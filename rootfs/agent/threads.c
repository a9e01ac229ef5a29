// SPDX-License-Identifier: GPL-2.0-or-later
#include "threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "request.h"

#define MAX_THREADS 64
#define MAX_QUEUED 1024
#define KERNEL_TEXT_SIZE 8192 /* of a stack */

struct worker {
	struct worker *next;
	char name[NAME_MAX_LENGTH + 1];
	pid_t tid;
	struct work *first;
	struct work *last;
	unsigned int queued;
	const struct op *op; /* running now, or NULL */
	json_t *id; /* of that request */
	bool ending;
	pthread_cond_t wake;
};

static struct worker *workers;
static unsigned int nr_workers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all of the above */
static pthread_cond_t became_idle;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct worker *self;

static void init_once(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&became_idle, &attributes);
}

static bool is_busy(const struct worker *worker)
{
	return worker->op || worker->first;
}

static struct work *next_work(struct worker *worker)
{
	struct work *work = worker->first;

	worker->first = work->next;
	worker->queued--;
	worker->op = work->op;
	worker->id = json_incref(json_object_get(work->request, "id"));
	return work;
}

static void work_done(struct worker *worker)
{
	json_decref(worker->id);
	worker->id = NULL;
	worker->op = NULL;
	if (!is_busy(worker))
		pthread_cond_broadcast(&became_idle);
}

static void *worker_main(void *argument)
{
	self = argument;
	pthread_mutex_lock(&lock);
	self->tid = gettid();
	while (!self->ending) {
		struct work *work;

		if (!self->first) {
			pthread_cond_wait(&self->wake, &lock);
			continue;
		}
		work = next_work(self);
		pthread_mutex_unlock(&lock);
		protocol_run(work);
		pthread_mutex_lock(&lock);
		work_done(self);
	}
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&self->wake);
	free(self);
	return NULL;
}

static struct worker *find(const char *name)
{
	for (struct worker *worker = workers; worker; worker = worker->next)
		if (strcmp(worker->name, name) == 0)
			return worker;
	return NULL;
}

static bool launch(struct worker *worker)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, worker_main, worker) != 0)
		return false;
	pthread_setname_np(thread, worker->name); /* fails if longer than 15: no matter */
	pthread_detach(thread);
	return true;
}

/* NULL when there are too many, or no memory */
static struct worker *add(const char *name)
{
	struct worker *worker = nr_workers < MAX_THREADS ? calloc(1, sizeof(*worker)) : NULL;

	if (!worker)
		return NULL;
	snprintf(worker->name, sizeof(worker->name), "%s", name);
	pthread_cond_init(&worker->wake, NULL);
	if (!launch(worker)) {
		free(worker);
		return NULL;
	}
	worker->next = workers;
	workers = worker;
	nr_workers++;
	return worker;
}

static void enqueue(struct worker *worker, struct work *work)
{
	work->next = NULL;
	if (worker->first)
		worker->last->next = work;
	else
		worker->first = work;
	worker->last = work;
	worker->queued++;
	pthread_cond_signal(&worker->wake);
}

static const char *submit_locked(const char *name, struct work *work)
{
	struct worker *worker = find(name);

	if (!worker)
		worker = add(name);
	if (!worker)
		return "no more threads";
	if (worker->queued >= MAX_QUEUED)
		return "too many requests wait for this thread";
	enqueue(worker, work);
	return NULL;
}

const char *threads_submit(const char *name, struct work *work)
{
	const char *problem;

	pthread_once(&once, init_once);
	pthread_mutex_lock(&lock);
	problem = submit_locked(name ? name : MAIN_THREAD, work);
	pthread_mutex_unlock(&lock);
	return problem;
}

static bool is_named(const json_t *names, const struct worker *worker)
{
	size_t i;
	json_t *name;

	if (!names)
		return true;
	json_array_foreach(names, i, name)
		if (strcmp(json_string_value(name), worker->name) == 0)
			return true;
	return false;
}

static json_t *busy_names(const json_t *names)
{
	json_t *busy = json_array();

	for (struct worker *worker = workers; worker; worker = worker->next)
		if (worker != self && is_busy(worker) && is_named(names, worker))
			json_array_append_new(busy, json_string(worker->name));
	return busy;
}

static struct timespec from_now(int64_t ms)
{
	struct timespec when;

	clock_gettime(CLOCK_MONOTONIC, &when);
	when.tv_sec += ms / 1000;
	when.tv_nsec += ms % 1000 * 1000000;
	if (when.tv_nsec >= 1000000000) {
		when.tv_sec++;
		when.tv_nsec -= 1000000000;
	}
	return when;
}

json_t *threads_wait_idle(const json_t *names, int64_t timeout_ms)
{
	struct timespec end = from_now(timeout_ms > 0 ? timeout_ms : 0);
	json_t *busy;
	int error = 0;

	pthread_once(&once, init_once);
	pthread_mutex_lock(&lock);
	while (json_array_size(busy = busy_names(names)) > 0 && error == 0) {
		json_decref(busy);
		if (timeout_ms < 0)
			pthread_cond_wait(&became_idle, &lock);
		else
			error = pthread_cond_timedwait(&became_idle, &lock, &end);
	}
	pthread_mutex_unlock(&lock);
	return busy;
}

static bool can_end(const struct worker *worker)
{
	return worker != self && !is_busy(worker) && strcmp(worker->name, MAIN_THREAD) != 0;
}

void threads_end_idle(void)
{
	pthread_mutex_lock(&lock);
	for (struct worker **link = &workers; *link;) {
		struct worker *worker = *link;

		if (!can_end(worker)) {
			link = &worker->next;
			continue;
		}
		*link = worker->next;
		nr_workers--;
		worker->ending = true; /* it frees itself */
		pthread_cond_signal(&worker->wake);
	}
	pthread_mutex_unlock(&lock);
}

/* null when the kernel was built without this file */
static json_t *kernel_text(pid_t tid, const char *file)
{
	char path[64], text[KERNEL_TEXT_SIZE];

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)tid, file);
	if (file_read_text(path, text, sizeof(text)) < 0)
		return json_null();
	return json_string(text);
}

static json_t *describe(const struct worker *worker)
{
	json_t *id = worker->id ? json_deep_copy(worker->id) : json_null();
	json_t *op = worker->op ? json_string(worker->op->name) : json_null();

	return json_pack("{s:b, s:o, s:o, s:i, s:i, s:o, s:o}", "busy", is_busy(worker), "op", op,
			 "id", id, "queued", (int)worker->queued, "tid", (int)worker->tid,
			 "wchan", kernel_text(worker->tid, "wchan"),
			 "stack", kernel_text(worker->tid, "stack"));
}

json_t *threads_describe(void)
{
	json_t *all = json_object();

	pthread_mutex_lock(&lock);
	for (struct worker *worker = workers; worker; worker = worker->next)
		json_object_set_new(all, worker->name, describe(worker));
	pthread_mutex_unlock(&lock);
	return all;
}
