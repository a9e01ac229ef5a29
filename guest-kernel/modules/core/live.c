// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For whoever looks for leaks, in debugfs: dmabed/live says how many objects of
 * ours there are, one line "name count" each; a write to dmabed/settle has what
 * RCU is to free given back before it returns.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "core.h"

static const char * const names[] = {
	[DMABED_LIVE_BUFFERS] = "buffers",
	[DMABED_LIVE_ATTACHMENTS] = "attachments",
	[DMABED_LIVE_MAPPINGS] = "mappings",
	[DMABED_LIVE_PAGES] = "pages",
	[DMABED_LIVE_JOBS] = "jobs",
	[DMABED_LIVE_POSTED_BUFFERS] = "posted-buffers",
	[DMABED_LIVE_POSTED_ATTACHMENTS] = "posted-attachments",
	[DMABED_LIVE_POSTED_LISTS] = "posted-lists",
	[DMABED_LIVE_MERGED_BUFFERS] = "merged-buffers",
	[DMABED_LIVE_MERGED_ATTACHMENTS] = "merged-attachments",
	[DMABED_LIVE_MERGED_TABLES] = "merged-tables",
	[DMABED_LIVE_HANDLES] = "handles",
};

static atomic64_t counts[ARRAY_SIZE(names)];
static struct dentry *directory;

/**
 * dmabed_live_add - there are more objects now, or fewer
 * @what: of which kind
 * @number: how many, negative: fewer
 */
void dmabed_live_add(enum dmabed_live what, s64 number)
{
	atomic64_add(number, &counts[what]);
}
EXPORT_SYMBOL_GPL(dmabed_live_add);

/**
 * dmabed_live_count - how many there are
 * @what: of which kind
 */
u64 dmabed_live_count(enum dmabed_live what)
{
	return atomic64_read(&counts[what]);
}
EXPORT_SYMBOL_GPL(dmabed_live_count);

static int live_show(struct seq_file *file, void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		seq_printf(file, "%s %llu\n", names[i], dmabed_live_count(i));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(live);

/* kfree_rcu() gathers for seconds (KFREE_DRAIN_JIFFIES in kernel/rcu/tree.c). */
static int settle(void *unused, u64 value)
{
	rcu_barrier();
	kvfree_rcu_barrier();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(settle_fops, NULL, settle, "%llu\n");

/**
 * dmabed_live_register - make the files
 */
void dmabed_live_register(void)
{
	directory = debugfs_create_dir("dmabed", NULL);
	debugfs_create_file("live", 0444, directory, NULL, &live_fops);
	debugfs_create_file("settle", 0200, directory, NULL, &settle_fops);
}

/**
 * dmabed_live_unregister - take them away
 */
void dmabed_live_unregister(void)
{
	debugfs_remove_recursive(directory);
}
