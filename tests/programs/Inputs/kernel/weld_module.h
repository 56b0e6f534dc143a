/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/jump_label.h>
#include <linux/percpu.h>

DECLARE_STATIC_KEY_FALSE(weld_key);
DECLARE_PER_CPU(int, weld_counter);
const char *weld_word(int i);
