// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dmabed-tests: the dma-buf surface as a program of the guest sees it.
 *
 * KTAP version 1 on standard output (Documentation/dev-tools/ktap.rst); the exit
 * status is 0 when no test failed, 1 when one did, 2 for a wrong command line.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters.h"
#include "runner.h"
#include "sabotage.h"

#define EXIT_USAGE 2
#define DEFAULT_TIMEOUT_SECONDS 60
#define MOST_TESTS 1024

/* Set by the linker around the section of that name. */
extern const struct test *const __start_dmabed_tests[];
extern const struct test *const __stop_dmabed_tests[];

static struct chosen chosen[MOST_TESTS];
static unsigned int chosen_count;

static void name_of(const struct test *test, const struct exporter *exporter, char *name)
{
	char *at;

	snprintf(name, TEST_NAME_LENGTH, "%s.%s%s%s", test->row, test->id, exporter ? "." : "",
		 exporter ? exporter->name : "");
	for (at = name; *at; at++)
		if (*at == '_')
			*at = '-';
}

/* A word selects the test of that name, and all whose names go on after it with a dot. */
static bool selects(const char *word, const char *name)
{
	size_t length = strlen(word);

	return strncmp(word, name, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

static bool selected(char **words, const char *name)
{
	if (!*words)
		return true;
	for (; *words; words++)
		if (selects(*words, name))
			return true;
	return false;
}

static void consider(const struct test *test, const struct exporter *exporter, char **words)
{
	struct chosen *next = &chosen[chosen_count];

	if (chosen_count == MOST_TESTS)
		return;
	name_of(test, exporter, next->name);
	if (!selected(words, next->name))
		return;
	next->test = test;
	next->exporter = exporter;
	chosen_count++;
}

static void choose(char **words)
{
	const struct test *const *entry;
	const struct exporter *exporter;

	for (entry = __start_dmabed_tests; entry < __stop_dmabed_tests; entry++) {
		if ((*entry)->run) {
			consider(*entry, NULL, words);
			continue;
		}
		for (exporter = exporter_first(); exporter; exporter = exporter_next(exporter))
			consider(*entry, exporter, words);
	}
}

/* A word that selects nothing is a mistake, not a test run without failures. */
static const char *useless_word(char **words)
{
	unsigned int i;

	for (; *words; words++) {
		for (i = 0; i < chosen_count; i++)
			if (selects(*words, chosen[i].name))
				break;
		if (i == chosen_count)
			return *words;
	}
	return NULL;
}

static int by_row(const void *first, const void *second)
{
	const struct chosen *a = first, *b = second;

	return strverscmp(a->name, b->name);
}

static int run_all(void)
{
	bool good = true;
	unsigned int i;

	printf("KTAP version 1\n1..%u\n", chosen_count);
	for (i = 0; i < chosen_count; i++)
		if (!runner_run(&chosen[i], i + 1))
			good = false;
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void list_all(void)
{
	unsigned int i;

	for (i = 0; i < chosen_count; i++)
		puts(chosen[i].name);
}

static int usage(void)
{
	fputs("usage: dmabed-tests [--list] [--timeout SECONDS] [--sabotage NAME] [ROW|TEST]...\n"
	      "       dmabed-tests --sabotages\n",
	      stderr);
	return EXIT_USAGE;
}

struct options {
	bool list, sabotages, wrong;
	unsigned int timeout_seconds;
};

static void read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "list", no_argument, NULL, 'l' },
		{ "sabotages", no_argument, NULL, 'S' },
		{ "sabotage", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ 0 },
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (letter == 'l')
			options->list = true;
		else if (letter == 'S')
			options->sabotages = true;
		else if (letter == 't')
			options->timeout_seconds = strtoul(optarg, NULL, 10);
		else if (letter != 's' || !sabotage_choose(optarg))
			options->wrong = true;
	}
	if (options->timeout_seconds == 0)
		options->wrong = true;
}

int main(int argc, char **argv)
{
	struct options options = { .timeout_seconds = DEFAULT_TIMEOUT_SECONDS };
	const char *useless;

	setvbuf(stdout, NULL, _IONBF, 0);
	read_options(argc, argv, &options);
	if (options.wrong)
		return usage();
	if (options.sabotages) {
		sabotage_list();
		return EXIT_SUCCESS;
	}
	choose(argv + optind);
	qsort(chosen, chosen_count, sizeof(chosen[0]), by_row);
	useless = useless_word(argv + optind);
	if (useless) {
		fprintf(stderr, "dmabed-tests: no test is called %s\n", useless);
		return EXIT_USAGE;
	}
	if (options.list) {
		list_all();
		return EXIT_SUCCESS;
	}
	runner_prepare(options.timeout_seconds);
	return run_all();
}
