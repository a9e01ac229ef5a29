"""dmabed: a virtual hardware testbed for Linux dma-buf."""

__version__ = "0.1.0"
