// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The storage of a buffer over its life: allocated at the first use, chosen by
 * the devices that are attached by then, and replaced when a stricter one comes.
 *
 * How to make everybody let go of the old storage is different in each
 * generation of the framework; the front end does it in its quiesce().
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/* From the least to the most precious. */
static const u32 auto_kinds[] = {
	DMABED_STORAGE_PAGES,
	DMABED_STORAGE_LOW_PAGES,
	DMABED_STORAGE_CONTIGUOUS,
	DMABED_STORAGE_POOL,
};

/**
 * dmabed_backing_init - set up, without storage
 * @backing: cleared memory
 * @ops: the front end
 * @request: what user space asked for, already checked
 */
void dmabed_backing_init(struct dmabed_backing *backing,
			 const struct dmabed_backing_ops *ops,
			 const struct dmabed_export *request)
{
	backing->ops = ops;
	backing->nr_pages = request->length >> PAGE_SHIFT;
	backing->wanted.kind = request->storage;
	backing->wanted.address = request->address;
	strscpy(backing->wanted.source, request->source,
		sizeof(backing->wanted.source));
	backing->allowed = request->allowed;
	backing->high = request->flags & DMABED_EXPORT_HIGH;
	backing->unconstrained = request->flags & DMABED_EXPORT_UNCONSTRAINED;
	backing->no_late_attach = request->flags & DMABED_EXPORT_NO_LATE_ATTACH;
	dmabed_buffer_limits_init(&backing->limits, request);
	INIT_LIST_HEAD(&backing->users);
}
EXPORT_SYMBOL_GPL(dmabed_backing_init);

/**
 * dmabed_backing_release - let go of the storage
 * @backing: the backing, not used after this
 */
void dmabed_backing_release(struct dmabed_backing *backing)
{
	if (backing->storage)
		dmabed_storage_put(backing->storage);
	backing->storage = NULL;
}
EXPORT_SYMBOL_GPL(dmabed_backing_release);

static void collate_users(const struct dmabed_backing *backing,
			  struct dmabed_constraints *c)
{
	dmabed_constraints_collate(c, backing->unconstrained ?
				      NULL : &backing->users,
				   &backing->limits);
}

static bool fits_users(const struct dmabed_backing *backing,
		       const struct dmabed_storage *storage)
{
	struct dmabed_backing_user *user;
	struct dmabed_constraints c;

	collate_users(backing, &c);
	if (!dmabed_keeps_to(storage, c.own))
		return false;
	if (!c.users)
		return true;
	list_for_each_entry(user, &backing->users, node)
		if (!dmabed_fits(storage, user))
			return false;
	return true;
}

/* ---- choice ---- */

static bool may_choose(const struct dmabed_backing *backing, u32 kind)
{
	if (!backing->allowed)
		return backing->wanted.kind == DMABED_STORAGE_AUTO;
	return backing->allowed & BIT(kind);
}

#define MAX_KINDS (ARRAY_SIZE(auto_kinds) + 1)

/* The kinds that this buffer may use, at most MAX_KINDS, as they are tried. */
static unsigned int kinds_of(const struct dmabed_backing *backing, u32 *kinds)
{
	unsigned int nr = 0;
	unsigned int i;

	if (backing->wanted.kind != DMABED_STORAGE_AUTO)
		kinds[nr++] = backing->wanted.kind;
	for (i = 0; i < ARRAY_SIZE(auto_kinds); i++)
		if (auto_kinds[i] != backing->wanted.kind &&
		    may_choose(backing, auto_kinds[i]))
			kinds[nr++] = auto_kinds[i];
	return nr;
}

static struct dmabed_storage_request
request_of(const struct dmabed_backing *backing,
	   const struct dmabed_place *place, const struct dmabed_constraints *c)
{
	return (struct dmabed_storage_request) {
		.place = *place,
		.nr_pages = backing->nr_pages,
		.high = backing->high,
		.constraints = c,
	};
}

/*
 * An address and a source belong to the kind that the buffer began with.  Of the
 * pools another one takes that of its devices, and none without their asking.
 */
static struct dmabed_place place_of(const struct dmabed_backing *backing,
				    u32 kind,
				    const struct dmabed_constraints *c)
{
	const struct reserved_mem *region = dmabed_constraints_region(c);
	struct dmabed_place place = { .kind = kind };

	if (kind == backing->wanted.kind)
		return backing->wanted;
	if (kind == DMABED_STORAGE_POOL && region)
		dmabed_region_name(place.source, region->name);
	return place;
}

static bool any_possible(const struct dmabed_backing *backing)
{
	struct dmabed_storage_request request;
	struct dmabed_constraints c;
	struct dmabed_place place;
	u32 kinds[MAX_KINDS];
	unsigned int nr = kinds_of(backing, kinds);
	unsigned int i;

	collate_users(backing, &c);
	for (i = 0; i < nr; i++) {
		place = place_of(backing, kinds[i], &c);
		request = request_of(backing, &place, &c);
		if (dmabed_storage_possible(&request))
			return true;
	}
	return false;
}

static struct dmabed_storage *
try_place(const struct dmabed_backing *backing,
	  const struct dmabed_place *place, const struct dmabed_constraints *c)
{
	struct dmabed_storage_request request = request_of(backing, place, c);
	struct dmabed_storage *storage;

	if (!dmabed_storage_possible(&request))
		return ERR_PTR(-EINVAL);
	storage = dmabed_storage_alloc(&request);
	if (IS_ERR(storage) || fits_users(backing, storage))
		return storage;
	/* such memory exists, but what was free of it does not suit */
	dmabed_storage_put(storage);
	return ERR_PTR(-ENOMEM);
}

/* New storage that suits all users; what is possible and not free is ENOMEM. */
static struct dmabed_storage *choose(const struct dmabed_backing *backing)
{
	struct dmabed_storage *storage;
	struct dmabed_constraints c;
	struct dmabed_place place;
	u32 kinds[MAX_KINDS];
	unsigned int nr = kinds_of(backing, kinds);
	int ret = -EINVAL;
	unsigned int i;

	collate_users(backing, &c);
	for (i = 0; i < nr; i++) {
		place = place_of(backing, kinds[i], &c);
		storage = try_place(backing, &place, &c);
		if (!IS_ERR(storage))
			return storage;
		if (PTR_ERR(storage) != -EINVAL)
			ret = PTR_ERR(storage);
	}
	return ERR_PTR(ret);
}

/* ---- attach and detach ---- */

/* A buffer at a fixed place stays there, unless it may have another kind. */
static bool stays(const struct dmabed_backing *backing)
{
	return backing->wanted.kind == DMABED_STORAGE_FIXED && !backing->allowed;
}

static bool can_move(struct dmabed_backing *backing)
{
	return !stays(backing) && backing->ops->movable(backing);
}

static int check_users(struct dmabed_backing *backing)
{
	if (backing->unconstrained)
		return 0;
	if (backing->storage) {
		if (dmabed_storage_gone(backing->storage))
			return -ENODEV;
		if (fits_users(backing, backing->storage))
			return 0;
		if (stays(backing))
			return -EBUSY;
	}
	if (!any_possible(backing))
		return -EINVAL;
	return !backing->storage || can_move(backing) ? 0 : -EBUSY;
}

/**
 * dmabed_backing_attach - take one more device into account
 * @backing: the backing
 * @user: the device, in the list on success
 *
 * Return: 0; -EINVAL when no storage can suit all devices; -EBUSY when the
 * storage in use does not, and cannot move, or when it is too late; -ENODEV when
 * it went with a device.
 */
int dmabed_backing_attach(struct dmabed_backing *backing,
			  struct dmabed_backing_user *user)
{
	int ret;

	if (backing->no_late_attach && backing->given)
		return -EBUSY;
	list_add_tail(&user->node, &backing->users);
	ret = check_users(backing);
	if (dmabed_core_sabotaged(DMABED_CORE_ACCEPT_ANY_ATTACH))
		ret = 0;
	if (ret)
		list_del(&user->node);
	return ret;
}
EXPORT_SYMBOL_GPL(dmabed_backing_attach);

/**
 * dmabed_backing_detach - a device no longer counts
 * @backing: the backing
 * @user: the device
 */
void dmabed_backing_detach(struct dmabed_backing *backing,
			   struct dmabed_backing_user *user)
{
	list_del(&user->node);
}
EXPORT_SYMBOL_GPL(dmabed_backing_detach);

/* ---- devices that somebody else keeps a list of ---- */

/**
 * dmabed_backing_add_device - take a device into account, without asking
 * @backing: the backing
 * @dev: the device
 *
 * For generations whose framework has the list of attachments: it is walked
 * before each call that chooses storage, and forgotten after it.
 *
 * Return: 0 or -ENOMEM.
 */
int dmabed_backing_add_device(struct dmabed_backing *backing,
			      struct device *dev)
{
	struct dmabed_backing_user *user = kzalloc(sizeof(*user), GFP_KERNEL);

	if (!user)
		return -ENOMEM;
	user->dev = dev;
	list_add_tail(&user->node, &backing->users);
	return 0;
}
EXPORT_SYMBOL_GPL(dmabed_backing_add_device);

/**
 * dmabed_backing_forget_devices - the other way round, all of them
 * @backing: the backing
 */
void dmabed_backing_forget_devices(struct dmabed_backing *backing)
{
	struct dmabed_backing_user *user, *next;

	list_for_each_entry_safe(user, next, &backing->users, node) {
		list_del(&user->node);
		kfree(user);
	}
}
EXPORT_SYMBOL_GPL(dmabed_backing_forget_devices);

/* ---- placement ---- */

static bool suits(const struct dmabed_backing *backing,
		  const struct dmabed_backing_user *user)
{
	return !user || backing->unconstrained ||
	       dmabed_fits(backing->storage, user);
}

/*
 * Takes the reference to @new, also when it fails.  What the CPU cannot copy is
 * known before anybody is disturbed; memory can still go while jobs are waited
 * for.
 */
static int replace(struct dmabed_backing *backing, struct dmabed_storage *new)
{
	int ret = dmabed_storage_copyable(new, backing->storage);

	if (!ret)
		ret = backing->ops->quiesce(backing);
	if (!ret)
		ret = dmabed_storage_copy(new, backing->storage);
	if (ret) {
		dmabed_storage_put(new);
		return ret;
	}
	dmabed_storage_put(backing->storage);
	backing->storage = new;
	backing->migrations++;
	return 0;
}

/* The new storage comes first: when there is none, nobody was disturbed. */
static int migrate(struct dmabed_backing *backing)
{
	struct dmabed_storage *new;

	if (!can_move(backing))
		return -EBUSY;
	new = choose(backing);
	if (IS_ERR(new))
		return PTR_ERR(new);
	return replace(backing, new);
}

static int allocate(struct dmabed_backing *backing)
{
	struct dmabed_storage *storage = choose(backing);

	if (IS_ERR(storage))
		return PTR_ERR(storage);
	backing->storage = storage;
	return 0;
}

/**
 * dmabed_backing_suits - could a device be given the storage as it is
 * @backing: the backing
 * @user: the device
 *
 * Return: false also while there is no storage.
 */
bool dmabed_backing_suits(const struct dmabed_backing *backing,
			  const struct dmabed_backing_user *user)
{
	return backing->storage && suits(backing, user);
}
EXPORT_SYMBOL_GPL(dmabed_backing_suits);

/**
 * dmabed_backing_is_in - is the storage in this carve-out
 * @backing: the backing
 * @carveout: the carve-out
 */
bool dmabed_backing_is_in(const struct dmabed_backing *backing,
			  const struct dmabed_carveout *carveout)
{
	return backing->storage && backing->storage->carveout == carveout;
}
EXPORT_SYMBOL_GPL(dmabed_backing_is_in);

/**
 * dmabed_backing_place - have storage that suits a device
 * @backing: the backing
 * @user: one of the devices attached, or NULL for the CPU
 *
 * Allocates when there is no storage, moves it when it does not suit @user. New
 * storage suits all devices attached.
 *
 * Return: 0; -EBUSY when it cannot move; -ENOMEM; -EOPNOTSUPP when the CPU does
 * not reach one of the places; -ENODEV when the storage went with a device; what
 * quiesce() said.
 */
int dmabed_backing_place(struct dmabed_backing *backing,
			 const struct dmabed_backing_user *user)
{
	int ret;

	if (backing->storage && dmabed_storage_gone(backing->storage))
		return -ENODEV;
	if (!backing->storage)
		ret = allocate(backing);
	else
		ret = suits(backing, user) ? 0 : migrate(backing);
	if (!ret && user)
		backing->given = true;
	return ret;
}
EXPORT_SYMBOL_GPL(dmabed_backing_place);

/**
 * dmabed_backing_describe - where the storage is
 * @backing: the backing
 * @info: its storage, runs and migrations are filled in
 * @segments: kernel array for the runs
 * @room: entries of @segments
 */
void dmabed_backing_describe(const struct dmabed_backing *backing,
			     struct dmabed_buffer_info *info,
			     struct dmabed_segment *segments, u32 room)
{
	const struct dmabed_storage *storage = backing->storage;

	info->storage = storage ? storage->kind : DMABED_STORAGE_NONE;
	info->nr_segments = storage ? dmabed_storage_runs(storage, segments,
							  room) : 0;
	info->migrations = backing->migrations;
}
EXPORT_SYMBOL_GPL(dmabed_backing_describe);

/* ---- migration on request ---- */

/* A kind that was asked for is kept to; AUTO goes on choosing. */
static void aim_at(struct dmabed_backing *backing,
		   const struct dmabed_place *place)
{
	if (place->kind == DMABED_STORAGE_AUTO ||
	    backing->wanted.kind != DMABED_STORAGE_AUTO)
		backing->wanted = *place;
}

static struct dmabed_storage *storage_at(const struct dmabed_backing *backing,
					 const struct dmabed_place *place)
{
	struct dmabed_constraints c;

	if (place->kind == DMABED_STORAGE_AUTO)
		return choose(backing);
	collate_users(backing, &c);
	return try_place(backing, place, &c);
}

static int move_to(struct dmabed_backing *backing,
		   const struct dmabed_place *place)
{
	struct dmabed_storage *new;

	if (backing->storage && dmabed_core_sabotaged(DMABED_CORE_QUIESCE_FIRST))
		backing->ops->quiesce(backing);
	new = storage_at(backing, place);
	if (IS_ERR(new))
		return PTR_ERR(new);
	if (backing->storage)
		return replace(backing, new);
	backing->storage = new;
	return 0;
}

/**
 * dmabed_backing_migrate - move now
 * @backing: the backing
 * @place: where to, already checked; AUTO chooses anew
 *
 * Return: 0; -EBUSY when it cannot move; -EINVAL when the place is not allowed
 * or cannot suit all devices; -ENOMEM; -EOPNOTSUPP when the CPU does not reach
 * one of the places; -ENODEV when the storage went with a device; what
 * quiesce() said.
 */
int dmabed_backing_migrate(struct dmabed_backing *backing,
			   const struct dmabed_place *place)
{
	const struct dmabed_place before = backing->wanted;
	int ret;

	if (backing->allowed && place->kind != DMABED_STORAGE_AUTO &&
	    !(backing->allowed & BIT(place->kind)))
		return -EINVAL;
	if (backing->storage && dmabed_storage_gone(backing->storage))
		return -ENODEV;
	if (backing->storage && !backing->ops->movable(backing))
		return -EBUSY;
	aim_at(backing, place);
	ret = move_to(backing, place);
	if (ret)
		backing->wanted = before;
	return ret;
}
EXPORT_SYMBOL_GPL(dmabed_backing_migrate);
