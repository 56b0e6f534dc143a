// SPDX-License-Identifier: GPL-2.0
/* The second object of the module, so that ld -r joins two: strings, per-CPU data and tables of both come together. */
#include <linux/jump_label.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include "weld_module.h"

DEFINE_STATIC_KEY_FALSE(weld_key);
DEFINE_PER_CPU(int, weld_counter) = 40;

static const char *const words[] = {"zero", "one", "two", "three", "four", "five"};

const char *weld_word(int i)
{
	WARN_ON(i < 0);
	return i < ARRAY_SIZE(words) ? words[i] : "many";
}
EXPORT_SYMBOL_GPL(weld_word);
