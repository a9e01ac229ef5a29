// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers by number, as DRM PRIME has them beside fds: a table of each open
 * file.  A number means nothing to another file, another device or another
 * process, cannot be mapped, polled or passed, and ends with its file.
 */
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <uapi/dmabed_generations.h>

#include "merged/merged.h"

#define NUMBERS XA_LIMIT(1, INT_MAX)

/**
 * struct merged_handle - an entry
 * @buf: the buffer, referenced
 * @count: how often it was put in
 */
struct merged_handle {
	struct merged_buf *buf;
	unsigned int count;
};

/* What a sabotage has in the place of the tables of all files. */
static DEFINE_XARRAY_ALLOC1(everybodys);

static struct xarray *table_of(struct merged_client *client)
{
	return merged_sabotaged(MERGED_GLOBAL_HANDLES) ? &everybodys :
							  &client->handles;
}

/* ---- the table; the client's lock is held ---- */

static int find_number(struct xarray *table, const struct merged_buf *buf,
		       u32 *number)
{
	struct merged_handle *handle;
	unsigned long index;

	xa_for_each(table, index, handle) {
		if (handle->buf != buf)
			continue;
		handle->count++;
		*number = index;
		return 0;
	}
	return -ENOENT;
}

/* Takes the reference to @buf when it succeeds. */
static int add(struct xarray *table, struct merged_buf *buf, u32 *number)
{
	struct merged_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL);
	int ret;

	if (!handle)
		return -ENOMEM;
	handle->buf = buf;
	handle->count = 1;
	ret = xa_alloc(table, number, handle, NUMBERS, GFP_KERNEL);
	if (ret)
		kfree(handle);
	else
		dmabed_live_add(DMABED_LIVE_HANDLES, 1);
	return ret;
}

static void drop(struct xarray *table, unsigned long number)
{
	struct merged_handle *handle = xa_erase(table, number);

	/* two files that close may both empty the table of the sabotage */
	if (!handle)
		return;
	merged_buf_put(handle->buf);
	kfree(handle);
	dmabed_live_add(DMABED_LIVE_HANDLES, -1);
}

static struct merged_buf *find(struct merged_client *client, u32 number)
{
	struct merged_handle *handle;
	struct merged_buf *buf = NULL;

	mutex_lock(&client->lock);
	handle = xa_load(table_of(client), number);
	if (handle) {
		buf = handle->buf;
		get_file(buf->file);
	}
	mutex_unlock(&client->lock);
	return buf;
}

/* ---- ioctls ---- */

/* Takes the reference to @buf. */
static int give_number(struct merged_client *client, struct merged_buf *buf,
		       u32 *number)
{
	bool known;
	int ret = 0;

	mutex_lock(&client->lock);
	known = !find_number(table_of(client), buf, number);
	if (!known)
		ret = add(table_of(client), buf, number);
	mutex_unlock(&client->lock);
	if (known || ret)
		merged_buf_put(buf);
	return ret;
}

/**
 * merged_run_handle_export - DMABED_IOC_HANDLE_EXPORT
 * @context: the open file
 * @argument: struct dmabed_handle_export
 */
int merged_run_handle_export(void *context, void *argument)
{
	struct dmabed_handle_export *request = argument;
	struct dmabed_export export = {
		.flags = request->flags,
		.length = request->length,
		.storage = request->storage,
		.fd_flags = O_RDWR,
	};
	struct merged_buf *buf;
	int ret;

	ret = merged_check_export(&export);
	if (ret)
		return ret;
	buf = merged_buffer_export(&export);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	return give_number(context, buf, &request->handle);
}

/**
 * merged_run_fd_to_handle - DMABED_IOC_FD_TO_HANDLE
 * @context: the open file
 * @argument: struct dmabed_handle
 */
int merged_run_fd_to_handle(void *context, void *argument)
{
	struct dmabed_handle *request = argument;
	struct merged_buf *buf;

	if (request->flags)
		return -EINVAL;
	buf = merged_buf_get(request->fd);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	if (!merged_buffer_of(buf)) {
		merged_buf_put(buf);
		return -EOPNOTSUPP;
	}
	return give_number(context, buf, &request->handle);
}

/**
 * merged_run_handle_to_fd - DMABED_IOC_HANDLE_TO_FD
 * @context: the open file
 * @argument: struct dmabed_handle
 *
 * PRIME had its own flags from the beginning, so close-on-exec can be had here.
 */
int merged_run_handle_to_fd(void *context, void *argument)
{
	struct dmabed_handle *request = argument;
	struct merged_buf *buf;
	int fd;

	if (request->flags & ~O_CLOEXEC)
		return -EINVAL;
	buf = find(context, request->handle);
	if (!buf)
		return -ENOENT;
	fd = get_unused_fd_flags(request->flags & O_CLOEXEC);
	if (fd < 0) {
		merged_buf_put(buf);
		return fd;
	}
	fd_install(fd, buf->file);
	request->fd = fd;
	return 0;
}

/**
 * merged_run_handle_close - DMABED_IOC_HANDLE_CLOSE
 * @context: the open file
 * @argument: struct dmabed_handle
 */
int merged_run_handle_close(void *context, void *argument)
{
	const struct dmabed_handle *request = argument;
	struct merged_client *client = context;
	struct merged_handle *handle;
	int ret = -ENOENT;

	if (request->flags)
		return -EINVAL;
	mutex_lock(&client->lock);
	handle = xa_load(table_of(client), request->handle);
	if (handle) {
		if (!--handle->count)
			drop(table_of(client), request->handle);
		ret = 0;
	}
	mutex_unlock(&client->lock);
	return ret;
}

/**
 * merged_run_handle_info - DMABED_IOC_HANDLE_INFO
 * @context: the open file
 * @argument: struct dmabed_handle_info
 */
int merged_run_handle_info(void *context, void *argument)
{
	struct dmabed_handle_info *request = argument;
	struct dmabed_buffer_info info = {};
	struct merged_buf *buf;
	int ret;

	if (request->flags)
		return -EINVAL;
	buf = find(context, request->handle);
	if (!buf)
		return -ENOENT;
	ret = merged_buffer_info(merged_buffer_of(buf), &info, NULL, 0);
	merged_buf_put(buf);
	request->storage = info.storage;
	request->length = info.length;
	return ret;
}

/* ---- life ---- */

/**
 * merged_handles_init - an empty table
 * @client: the open file
 */
void merged_handles_init(struct merged_client *client)
{
	xa_init_flags(&client->handles, XA_FLAGS_ALLOC1);
}

static void drop_all(struct xarray *table)
{
	struct merged_handle *handle;
	unsigned long number;

	xa_for_each(table, number, handle)
		drop(table, number);
	xa_destroy(table);
}

/**
 * merged_handles_drop - the file closes: its numbers end
 * @client: the open file
 */
void merged_handles_drop(struct merged_client *client)
{
	if (!merged_sabotaged(MERGED_HANDLES_SURVIVE))
		drop_all(&client->handles);
	if (!merged_sabotaged(MERGED_GLOBAL_HANDLES))
		drop_all(&everybodys);
}
