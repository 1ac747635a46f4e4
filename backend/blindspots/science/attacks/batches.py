"""How many images at a time: from the memory that is free, and half as many when that was too hopeful."""

from collections.abc import Callable

import torch
from torch import Tensor

TILE = 256  # rows whose history still lies in a CPU's second-level cache, for MNIST
CPU_BYTES = 512 << 20
ROW_ARRAYS = 20  # float32 arrays of the image's size that a row of the weight search holds
GPU_SHARE = 0.25  # of the free memory; the rest is for the model's activations
GPU_ROWS = 8192


def rows_at_once(images: Tensor) -> int:
    """Rows per batch for images (n, c, h, w), by the free memory of their device; at least 1."""
    row_bytes = max(1, 4 * ROW_ARRAYS * images[0].numel()) if len(images) else 1
    if images.device.type != "cuda":
        return max(1, min(TILE, CPU_BYTES // row_bytes))
    free, _ = torch.cuda.mem_get_info(images.device)
    return max(1, min(GPU_ROWS, int(GPU_SHARE * free) // row_bytes))


def in_batches(total: int, size: int, run: Callable[[slice], None]) -> None:
    """Call `run` with consecutive slices of at most `size` rows; out of memory, halve the size and go on."""
    start = 0
    while start < total:
        try:
            run(slice(start, min(start + size, total)))
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size = (size + 1) // 2
            torch.cuda.empty_cache()
            continue
        start += size
