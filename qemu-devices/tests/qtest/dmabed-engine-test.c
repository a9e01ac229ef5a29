/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtests of the dmabed DMA engine and of the machine it sits on.  The
 * contracts are docs/specs/dmabed-engine.md and dmabed-soc.md of dmabed.
 */
#include "qemu/osdep.h"
#include "dmabed-engine-util.h"

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    add_register_tests();
    add_job_tests();
    add_limit_tests();
    add_host_tests();
    add_local_tests();
    add_pci_tests();
    add_iommu_tests();
    add_media_tests();
    add_start_tests();
    add_migration_tests();

    return g_test_run();
}
