"""How many images go through a network at a time."""

VALUES = 1 << 22  # pixel values of a forward pass; a network's first maps are some times larger


def forward_tile(values: int, *, most: int) -> int:
    """Images per forward pass, for images of so many pixel values: `most` small ones, fewer large ones.

    It depends on the images alone, so that a job computes the same whoever runs it. At least 4.
    """
    return max(4, min(most, VALUES // max(1, values)))
