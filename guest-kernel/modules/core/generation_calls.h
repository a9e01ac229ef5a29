/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions of an older generation's framework, called as a driver might, with
 * good arguments and with bad ones: DMABED_IOC_CALL (dmabed_generations.h).
 *
 * What is asked of a framework is the same for each generation, and stands in
 * generation_calls.c.  How the generation says it stands in its own calls.c.
 */
#ifndef DMABED_GENERATION_CALLS_H
#define DMABED_GENERATION_CALLS_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/types.h>

#include "core/core.h"
#include "core/importer.h"

struct file;

/* What is missing of an exporter that has the least. */
enum dmabed_lacking {
	DMABED_LACKING_NOTHING,
	DMABED_LACKING_LIST,		/* get_scatterlist, map */
	DMABED_LACKING_PUT_LIST,	/* put_scatterlist, unmap */
	DMABED_LACKING_RELEASE,
	DMABED_LACKING_OPS,		/* all of them */
};

/**
 * struct dmabed_framework - a generation's framework, as calls see it
 * @importer: the functions that drivers of devices use
 * @export: a buffer of an exporter with the least; the ops have to outlive it
 * @fd: one more fd of a buffer, which may be NULL
 * @file: what counts the references of a buffer
 * @first_device: which attached first to a buffer, referenced, or NULL
 * @list_bytes: takes a list, and says how many bytes its entries have, read as
 *	a driver reads it that wants the pages; gives it back only if @put. The
 *	attachment may be NULL
 * @list_unattached: the same with an attachment that the framework has not made
 * @lists: what counts the lists of all buffers
 *
 * A pointer that is returned is as the framework's function had it: an error
 * pointer, or NULL where the posted text has NULL.
 */
struct dmabed_framework {
	const struct dmabed_importer *importer;
	void *(*export)(void *priv, enum dmabed_lacking lacking, size_t size);
	int (*fd)(void *buffer);
	struct file *(*file)(void *buffer);
	struct device *(*first_device)(void *buffer);
	s64 (*list_bytes)(void *attach, bool put);
	s64 (*list_unattached)(void *buffer, struct device *dev);
	enum dmabed_live lists;
};

/**
 * dmabed_result_of - what a call says of a pointer that it was given
 * @pointer: as the framework returned it
 *
 * Return: 0; what the error is; -ENODATA for NULL.
 */
static inline s64 dmabed_result_of(const void *pointer)
{
	return pointer ? PTR_ERR_OR_ZERO(pointer) : -ENODATA;
}

int dmabed_run_call(const struct dmabed_framework *framework,
		    struct dmabed_call *call);

#endif /* DMABED_GENERATION_CALLS_H */
