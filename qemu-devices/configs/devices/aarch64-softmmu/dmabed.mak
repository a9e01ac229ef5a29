# SPDX-License-Identifier: GPL-2.0-or-later
#
# The devices of a dmabed QEMU: --with-devices-aarch64=dmabed together with
# --without-default-devices builds only what is named or selected here.

# The machine of the layouts and its DMA engines
CONFIG_DMABED_SOC=y
CONFIG_DMABED_ENGINE=y

# What a guest talks to the harness with
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_BLK=y

# PCI Express, for engines that come and go
CONFIG_PCI_EXPRESS_GENERIC_BRIDGE=y
CONFIG_PCIE_PORT=y
CONFIG_VIRTIO_PCI=y

# QEMU's own board, to compare with; it does not link without the CXL symbols
CONFIG_ARM_VIRT=y
CONFIG_PXB=y
CONFIG_CXL=y
CONFIG_CXL_MEM_DEVICE=y
