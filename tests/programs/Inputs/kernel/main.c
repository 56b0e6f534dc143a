// SPDX-License-Identifier: GPL-2.0
/* A module that uses what a linker must keep in order: parameters, per-CPU data, jump labels, symbols of the kernel and of
 * another module, sections that are freed after init. */
#include <linux/crc16.h>
#include <linux/module.h>
#include "weld_module.h"

static int number = 1;
module_param(number, int, 0444);

static int __initdata offset = 2;

static int __init weld_module_init(void)
{
	int before = static_branch_unlikely(&weld_key);

	static_branch_enable(&weld_key);
	this_cpu_add(weld_counter, offset);
	pr_info("weld-test: module: number %s, per-CPU data %d, jump label %d to %d, crc16 %04x\n", weld_word(number),
		this_cpu_read(weld_counter), before, static_branch_unlikely(&weld_key) ? 1 : 0, crc16(0, "123456789", 9));
	return 0;
}

static void __exit weld_module_exit(void)
{
	pr_info("weld-test: module: bye from %s\n", weld_word(number));
}

module_init(weld_module_init);
module_exit(weld_module_exit);
MODULE_LICENSE("GPL");
